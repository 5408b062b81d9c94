#include "weft/passes/launch.h"

#include <algorithm>
#include <map>
#include <set>

#include "weft/ir/builder.h"
#include "weft/ir/op_def.h"
#include "weft/passes/analysis/groups.h"
#include "weft/support/work.h"

namespace weft::passes {
namespace {

using ir::Op;
using ir::Value;

/// So many launches at most are offered to a nest that waits for nobody and that others wait for.
constexpr int most_offers = 8;
/// So many nests at most run in order in one launch: what they read and write lives all the while.
constexpr size_t most_in_order = 64;

class Launcher {
 public:
  Launcher(ir::Graph& graph, const Target& target) : graph_(graph), target_(target), groups_(graph) {}

  bool run() {
    share_out();
    run_in_order();
    return replace();
  }

 private:
  /// Nests that go into one launch.
  struct Joined {
    std::vector<Op*> nests;
    bool serial;
  };

  /// Nothing in the step waits for it.
  bool is_last(const Op& op) const {
    for (Value v : op.results())
      if (!v.users().empty()) return false;
    return true;
  }

  bool is_small(const Op& op) const { return ir::bytes_of(op) <= target_.serial_bytes(); }

  /// A launch that is worth several threads takes along those, small ones too, that nobody waits for either.
  void share_out() {
    std::vector<Op*> waiting;
    std::map<const Op*, int> offers;
    for (const auto& op : graph_.ops())
      if (op->def().kind == ir::Kind::nest && is_last(*op)) waiting.push_back(op);
    for (const std::vector<Op*> all = waiting; Op * leader : all) {
      if (is_small(*leader) || shared_.contains(groups_.of(leader))) continue;
      std::vector<Op*> left;
      for (Op* op : waiting) {
        if (op == leader) continue;
        const int a = groups_.of(leader), b = groups_.of(op);
        if (groups_.would_cycle(a, b) || groups_.connected(a, b)) {
          if (++offers[op] < most_offers) left.push_back(op);
          continue;
        }
        groups_.merge(std::min(a, b), std::max(a, b));
      }
      if (groups_.size(groups_.of(leader)) > 1) shared_.insert(groups_.of(leader));
      waiting = std::move(left);
    }
    for (int g : shared_) joined_.push_back({groups_.ops(g), false});
  }

  /// Small, and not part of a shared launch.
  bool runs_alone(int group) const {
    if (shared_.contains(group)) return false;
    const Op& op = *groups_.ops(group)[0];
    return op.def().kind == ir::Kind::nest && is_small(op);
  }

  /// The small nests of a stage run in one launch, one after the other. A stage is what can run between others than
  /// small nests: a path from one small nest to another that passes through such an op leads to a later stage, so no
  /// launch waits for itself. Each nest may choose among the stages from the first in which its operands are there to the
  /// last in which nobody waits for it yet; as few stages as possible are taken.
  void run_in_order() {
    const std::vector<int> order = groups_.in_order();
    std::vector<bool> small(static_cast<size_t>(groups_.count()));
    for (int g : order) small[static_cast<size_t>(g)] = runs_alone(g);
    const std::vector<int> earliest = earliest_stages(order, small), latest = latest_stages(order, small, earliest);
    std::set<int> taken = stages_for(order, small, earliest, latest);
    std::vector<int> stage(small.size(), 0);
    std::map<int, std::vector<Op*>> nests;
    for (int g : order) {
      const auto i = static_cast<size_t>(g);
      stage[i] = stage_after(g, small, stage);
      if (!small[i]) continue;
      auto at = taken.lower_bound(stage[i]);
      if (at == taken.end() || *at > latest[i]) at = taken.insert(latest[i]).first;
      stage[i] = *at;
      nests[*at].push_back(groups_.ops(g)[0]);
    }
    for (auto& [number, ops] : nests) {
      std::sort(ops.begin(), ops.end(), [&](const Op* x, const Op* y) { return groups_.of(x) < groups_.of(y); });
      for (size_t i = 0; i < ops.size(); i += most_in_order) {
        std::vector<Op*> some(ops.begin() + static_cast<std::ptrdiff_t>(i),
                              ops.begin() + static_cast<std::ptrdiff_t>(std::min(i + most_in_order, ops.size())));
        if (some.size() > 1) joined_.push_back({std::move(some), true});
      }
    }
  }

  /// The first stage in which the group can run: of the others, that in which they end.
  int stage_after(int group, const std::vector<bool>& small, const std::vector<int>& stage) const {
    const int own = !small[static_cast<size_t>(group)];
    int first = own;
    for (int before : groups_.before(group)) first = std::max(first, stage[static_cast<size_t>(before)] + own);
    count_work(1);
    return first;
  }

  std::vector<int> earliest_stages(const std::vector<int>& order, const std::vector<bool>& small) const {
    std::vector<int> stage(small.size(), 0);
    for (int g : order) stage[static_cast<size_t>(g)] = stage_after(g, small, stage);
    return stage;
  }

  std::vector<int> latest_stages(const std::vector<int>& order, const std::vector<bool>& small, const std::vector<int>& earliest) const {
    std::vector<int> stage(small.size(), *std::max_element(earliest.begin(), earliest.end()));
    for (auto at = order.rbegin(); at != order.rend(); ++at)
      for (int after : groups_.after(*at)) {
        const auto a = static_cast<size_t>(after);
        int& own = stage[static_cast<size_t>(*at)];
        own = std::min(own, stage[a] - !small[a]);
        count_work(1);
      }
    return stage;
  }

  /// The fewest stages such that each small nest may run in one of them.
  static std::set<int> stages_for(const std::vector<int>& order, const std::vector<bool>& small, const std::vector<int>& earliest,
                                  const std::vector<int>& latest) {
    std::vector<int> nests;
    for (int g : order)
      if (small[static_cast<size_t>(g)]) nests.push_back(g);
    std::stable_sort(nests.begin(), nests.end(),
                     [&](int x, int y) { return latest[static_cast<size_t>(x)] < latest[static_cast<size_t>(y)]; });
    std::set<int> taken;
    for (int g : nests)
      if (taken.empty() || *taken.rbegin() < earliest[static_cast<size_t>(g)]) taken.insert(latest[static_cast<size_t>(g)]);
    return taken;
  }

  bool replace() {
    std::sort(joined_.begin(), joined_.end(),
              [&](const Joined& x, const Joined& y) { return groups_.of(x.nests[0]) < groups_.of(y.nests[0]); });
    for (const Joined& joined : joined_) {
      // Every nest's results are the kernel's, so that the planner finds room for those that only other nests read.
      std::vector<Value> results;
      for (const Op* op : joined.nests)
        for (Value v : op->results()) results.push_back(v);
      outline(graph_, "kernel", joined.nests, results, {{"serial", joined.serial}});
    }
    sort_by_dependencies(graph_);
    return !joined_.empty();
  }

  ir::Graph& graph_;
  const Target& target_;
  Groups groups_;
  std::set<int> shared_;  // groups whose nests threads share out
  std::vector<Joined> joined_;
};

}  // namespace

bool launch(ir::Module& module, const Target& target) { return !module.graph().ops().empty() && Launcher(module.graph(), target).run(); }

}  // namespace weft::passes
