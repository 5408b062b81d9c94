#include "weft/passes/schedule.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <unordered_set>

#include "weft/ir/op_def.h"
#include "weft/passes/analysis/dependencies.h"
#include "weft/passes/analysis/liveness.h"
#include "weft/support/work.h"

namespace weft::passes {
namespace {

using ir::Op;
using ir::Value;

/// Which of the ops that may run next does.
enum class Choice {
  least_growth,  // the one after which fewest bytes are live; of equals the first
  newest,        // the one that could not run before; what is begun is finished first, as the parts of an accumulated gradient
};

class Scheduler {
 public:
  Scheduler(const ir::Graph& graph, const Dependencies& dependencies, Choice choice) : dependencies_(dependencies), choice_(choice) {
    for (const ir::Output& output : graph.outputs()) {
      if (output.alias) replacing_.insert(output.value);
      owners_[owner_of(output.value)].reads += 1;  // never freed
    }
    for (int i = 0; i < dependencies.count(); ++i) {
      waiting_.push_back(dependencies.before(i).size());
      for (const auto& [owner, count] : reads_of(*dependencies.op(i))) {
        Owner& o = owners_[owner];
        o.reads += count;
        o.readers += 1;
        o.sum_of_readers += i;
      }
    }
  }

  /// To be called once.
  std::vector<Op*> order() {
    std::vector<Op*> result;
    places_.resize(waiting_.size());
    for (int i = 0; i < dependencies_.count(); ++i)
      if (waiting_[static_cast<size_t>(i)] == 0) make_ready(i, 0);
    while (!ready_.empty()) {
      const int best = std::get<3>(*ready_.begin());
      ready_.erase(ready_.begin());
      is_ready_.erase(best);
      const Op& op = *dependencies_.op(best);
      result.push_back(dependencies_.op(best));
      peak_ = std::max(peak_, live_ + taken(op));
      live_ += growth(op);
      for (const auto& [owner, count] : reads_of(op)) finish_reading(owner, best, count);
      for (int next : dependencies_.after(best))
        if (--waiting_[static_cast<size_t>(next)] == 0) make_ready(next, static_cast<int64_t>(result.size()));
      count_work(1);
    }
    return result;
  }

  /// Most bytes that are live while an op runs, once there is an order.
  int64_t peak() const { return peak_; }

 private:
  /// Of a value's memory: how often it will still be read, by how many ops, and the sum of their numbers, which is the
  /// last one's once there is only one.
  struct Owner {
    int64_t reads = 0, readers = 0, sum_of_readers = 0;
  };

  /// What chooses among the ready: of newest ones those since when (negated), then the growth, then who came first.
  using Place = std::tuple<int64_t, int64_t, int64_t, int>;

  void make_ready(int op, int64_t since) {
    places_[static_cast<size_t>(op)] = {choice_ == Choice::newest ? -since : 0, growth(*dependencies_.op(op)), made_ready_++, op};
    ready_.insert(places_[static_cast<size_t>(op)]);
    is_ready_.insert(op);
  }

  /// The growth of the value's last reader changes when the others have run.
  void finish_reading(Value owner, int op, int64_t count) {
    Owner& o = owners_.at(owner);
    o.reads -= count;
    o.readers -= 1;
    o.sum_of_readers -= op;
    if (o.readers != 1 || !is_ready_.contains(static_cast<int>(o.sum_of_readers))) return;
    Place& place = places_[static_cast<size_t>(o.sum_of_readers)];
    ready_.erase(place);
    std::get<1>(place) = growth(*dependencies_.op(static_cast<int>(o.sum_of_readers)));
    ready_.insert(place);
  }

  /// The memory that the op reads, and as how many operands.
  static std::vector<std::pair<Value, int64_t>> reads_of(const Op& op) {
    std::vector<std::pair<Value, int64_t>> reads;
    std::unordered_map<Value, size_t, ir::ValueHash> place;
    for (Value v : op.operands()) {
      const auto [at, added] = place.try_emplace(owner_of(v), reads.size());
      if (added) reads.emplace_back(at->first, 0);
      ++reads[at->second].second;
    }
    return reads;
  }

  static bool is_free(const Op& op) { return op.def().kind == ir::Kind::view || op.def().kind == ir::Kind::constant; }

  /// Bytes that the op's results add.
  int64_t taken(const Op& op) const {
    int64_t bytes = 0;
    for (Value v : op.results())
      if (!is_free(op) && !replacing_.contains(v) && !is_transient(v)) bytes += v.type().bytes();
    return bytes;
  }

  /// Bytes that the op's results add less those that it is the last to read.
  int64_t growth(const Op& op) const {
    if (is_free(op)) return 0;
    int64_t bytes = taken(op);
    for (const auto& [owner, count] : reads_of(op))
      if (!owner.is_input() && owners_.at(owner).reads == count) bytes -= owner.type().bytes();
    return bytes;
  }

  /// Scratch: gone with the op.
  static bool is_transient(Value v) { return v.users().empty() && !ir::Graph::is_output(v); }

  const Dependencies& dependencies_;
  Choice choice_;
  std::unordered_set<Value, ir::ValueHash> replacing_;  // written over an input
  std::unordered_map<Value, Owner, ir::ValueHash> owners_;
  std::vector<size_t> waiting_;  // per op: those before it that have not run
  std::vector<Place> places_;    // per op
  std::set<Place> ready_;
  std::unordered_set<int> is_ready_;
  int64_t made_ready_ = 0;
  int64_t live_ = 0, peak_ = 0;
};

}  // namespace

bool schedule(ir::Module& module) {
  ir::Graph& graph = module.graph();
  const std::vector<Op*> before = graph.op_list();
  sort_by_dependencies(graph);
  const Dependencies dependencies(graph);
  Scheduler greedy(graph, dependencies, Choice::least_growth), deep(graph, dependencies, Choice::newest);
  std::vector<Op*> after = greedy.order();
  const std::vector<Op*> other = deep.order();
  if (deep.peak() < greedy.peak()) after = other;
  graph.reorder(after);
  return before != after;
}

}  // namespace weft::passes
