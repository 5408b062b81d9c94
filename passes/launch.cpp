#include <set>

#include "weft/ir/builder.h"
#include "weft/ir/op_def.h"
#include "weft/passes/fuse.h"
#include "weft/passes/groups.h"

namespace weft::passes {
namespace {

using ir::Op;
using ir::Value;

class Launcher {
 public:
  Launcher(ir::Graph& graph, const Target& target) : graph_(graph), target_(target), groups_(graph) {}

  bool run() {
    for (const auto& op : graph_.ops())
      if (op->is("fused")) nests_.push_back(op.get());
    // A launch that is worth several threads takes the small nests along that nobody waits for either.
    join([&](const Op& x, const Op& y) { return is_last(x) && is_last(y) && !(is_small(x) && is_small(y)); }, false);
    join([&](const Op& x, const Op& y) { return runs_alone(x) && runs_alone(y); }, true);
    return replace();
  }

 private:
  /// Nothing in the step waits for it.
  bool is_last(const Op& op) const {
    for (Value v : op.results())
      if (!v.users().empty()) return false;
    return true;
  }

  bool is_small(const Op& op) const { return ir::bytes_of(op) <= target_.serial_bytes(); }

  /// Small, and not part of a shared launch.
  bool runs_alone(const Op& op) const { return is_small(op) && !shared_.contains(groups_.of(&op)); }

  template <class Together>
  void join(Together together, bool serial) {
    for (size_t i = 0; i < nests_.size(); ++i)
      for (size_t j = i + 1; j < nests_.size(); ++j) {
        const int a = groups_.of(nests_[i]), b = groups_.of(nests_[j]);
        if (a == b || !together(*nests_[i], *nests_[j]) || groups_.would_cycle(a, b)) continue;
        if (!serial && groups_.connected(a, b)) continue;
        groups_.merge(a, b);
        if (!serial) shared_.insert(a);
      }
  }

  bool replace() {
    bool changed = false;
    for (int g = 0; g < groups_.count(); ++g) {
      const std::vector<Op*>& ops = groups_.ops(g);
      if (ops.size() < 2) continue;
      const bool serial = !shared_.contains(g);
      // Every nest's results are the kernel's, so that the planner finds room for those that only other nests read.
      std::vector<Value> results;
      for (const Op* op : ops)
        for (Value v : op->results()) results.push_back(v);
      outline(graph_, "kernel", ops, results, {{"serial", serial}});
      changed = true;
    }
    sort_by_dependencies(graph_);
    return changed;
  }

  ir::Graph& graph_;
  const Target& target_;
  Groups groups_;
  std::vector<Op*> nests_;
  std::set<int> shared_;  // groups whose nests threads share out
};

}  // namespace

bool launch(ir::Module& module, const Target& target) { return Launcher(module.graph(), target).run(); }

}  // namespace weft::passes
