#include <algorithm>

#include "weft/ir/op_def.h"
#include "weft/passes/dependencies.h"
#include "weft/passes/liveness.h"
#include "weft/passes/plan.h"

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
  explicit Scheduler(const ir::Graph& graph) : graph_(graph), dependencies_(graph) {
    for (const auto& op : graph.ops()) {
      waiting_[op.get()] = dependencies_.before(op.get()).size();
      for (Value v : op->operands()) ++reads_[owner_of(v)];
    }
    for (const ir::Output& output : graph.outputs()) ++reads_[owner_of(output.value)];  // never freed
  }

  /// To be called once.
  std::vector<Op*> order(Choice choice) {
    std::vector<Op*> result;
    for (const auto& op : graph_.ops())
      if (waiting_[op.get()] == 0) ready_.push_back({op.get(), 0});
    while (!ready_.empty()) {
      const auto best = choice == Choice::newest ? newest() : least_growth();
      Op* op = best->op;
      ready_.erase(best);
      result.push_back(op);
      peak_ = std::max(peak_, live_ + taken(*op));
      live_ += growth(*op);
      for (Value v : op->operands()) --reads_[owner_of(v)];
      for (const Op* next : dependencies_.after(op))
        if (--waiting_[next] == 0) ready_.push_back({const_cast<Op*>(next), result.size()});
    }
    return result;
  }

  /// Most bytes that are live while an op runs, once there is an order.
  int64_t peak() const { return peak_; }

 private:
  struct Ready {
    Op* op;
    size_t since;  // so many ops had run
  };

  std::vector<Ready>::iterator least_growth() {
    auto best = ready_.begin();
    for (auto at = std::next(best); at != ready_.end(); ++at)
      if (growth(*at->op) < growth(*best->op)) best = at;
    return best;
  }

  std::vector<Ready>::iterator newest() {
    auto best = ready_.begin();
    for (auto at = std::next(best); at != ready_.end(); ++at)
      if (at->since > best->since || (at->since == best->since && growth(*at->op) < growth(*best->op))) best = at;
    return best;
  }

  static bool is_free(const Op& op) { return op.def().kind == ir::Kind::view || op.def().kind == ir::Kind::constant; }

  /// Bytes that the op's results add.
  int64_t taken(const Op& op) const {
    int64_t bytes = 0;
    for (Value v : op.results())
      if (!is_free(op) && !replaces_input(v) && !is_transient(v)) bytes += v.type().bytes();
    return bytes;
  }

  /// Bytes that the op's results add less those that it is the last to read.
  int64_t growth(const Op& op) const {
    if (is_free(op)) return 0;
    int64_t bytes = taken(op);
    std::vector<Value> counted;
    for (Value v : op.operands()) {
      const Value owner = owner_of(v);
      if (owner.is_input() || std::find(counted.begin(), counted.end(), owner) != counted.end()) continue;
      counted.push_back(owner);
      const auto reads_here = std::count_if(op.operands().begin(), op.operands().end(), [&](Value o) { return owner_of(o) == owner; });
      if (reads_.at(owner) == reads_here) bytes -= owner.type().bytes();
    }
    return bytes;
  }

  /// Scratch: gone with the op.
  bool is_transient(Value v) const { return v.users().empty() && !graph_.is_output(v); }

  bool replaces_input(Value v) const {
    return std::any_of(graph_.outputs().begin(), graph_.outputs().end(),
                       [&](const ir::Output& o) { return o.alias && o.value == v; });
  }

  const ir::Graph& graph_;
  Dependencies dependencies_;
  std::unordered_map<const Op*, size_t> waiting_;
  std::unordered_map<Value, int64_t, ir::ValueHash> reads_;
  std::vector<Ready> ready_;
  int64_t live_ = 0, peak_ = 0;
};

}  // namespace

bool schedule(ir::Module& module) {
  ir::Graph& graph = module.graph();
  const std::vector<Op*> before = graph.op_list();
  sort_by_dependencies(graph);
  Scheduler greedy(graph), deep(graph);
  std::vector<Op*> after = greedy.order(Choice::least_growth);
  const std::vector<Op*> other = deep.order(Choice::newest);
  if (deep.peak() < greedy.peak()) after = other;
  graph.reorder(after);
  return before != after;
}

}  // namespace weft::passes
