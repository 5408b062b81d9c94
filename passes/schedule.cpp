#include <algorithm>

#include "weft/ir/op_def.h"
#include "weft/passes/dependencies.h"
#include "weft/passes/liveness.h"
#include "weft/passes/plan.h"

namespace weft::passes {
namespace {

using ir::Op;
using ir::Value;

/// Chooses, among the ops that may run next, the one after which fewest bytes are live; of equals the first.
class Scheduler {
 public:
  explicit Scheduler(const ir::Graph& graph) : graph_(graph), dependencies_(graph) {
    for (const auto& op : graph.ops()) {
      waiting_[op.get()] = dependencies_.before(op.get()).size();
      for (Value v : op->operands()) ++reads_[owner_of(v)];
    }
    for (const ir::Output& output : graph.outputs()) ++reads_[owner_of(output.value)];  // never freed
  }

  std::vector<Op*> order() {
    std::vector<Op*> ready, result;
    for (const auto& op : graph_.ops())
      if (waiting_[op.get()] == 0) ready.push_back(op.get());
    while (!ready.empty()) {
      auto best = ready.begin();
      for (auto at = std::next(best); at != ready.end(); ++at)
        if (growth(**at) < growth(**best)) best = at;
      Op* op = *best;
      ready.erase(best);
      result.push_back(op);
      for (Value v : op->operands()) --reads_[owner_of(v)];
      for (const Op* next : dependencies_.after(op))
        if (--waiting_[next] == 0) ready.push_back(const_cast<Op*>(next));
    }
    return result;
  }

 private:
  /// Bytes that the op's results add less those that it is the last to read.
  int64_t growth(const Op& op) const {
    if (op.def().kind == ir::Kind::view || op.def().kind == ir::Kind::constant) return 0;
    int64_t bytes = 0;
    for (Value v : op.results())
      if (!replaces_input(v) && !is_transient(v)) bytes += v.type().bytes();
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
};

}  // namespace

bool schedule(ir::Module& module) {
  ir::Graph& graph = module.graph();
  const std::vector<Op*> before = graph.op_list();
  sort_by_dependencies(graph);
  const std::vector<Op*> after = Scheduler(graph).order();
  graph.reorder(after);
  return before != after;
}

}  // namespace weft::passes
