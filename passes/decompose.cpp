#include "weft/passes/decompose.h"

#include "weft/ir/order.h"

namespace weft::passes {

using ir::Op;
using ir::Value;

bool decompose(ir::Module& module) {
  ir::Graph& graph = module.graph();
  bool changed = false;
  // What a decomposition inserts stands before the op, so the walk looks at it next.
  for (auto at = graph.ops().begin(); at != graph.ops().end();) {
    Op& op = **at;
    if (op.def().kind != ir::Kind::composite) {
      ++at;
      continue;
    }
    const bool first = at == graph.ops().begin();
    const auto previous = first ? at : std::prev(at);
    ir::Builder builder(graph, &op, op.locations());
    const std::vector<Value> results = ir::decompose(builder, op);
    for (int i = 0; i < op.result_count(); ++i) op.result(i).replace_all_uses_with(results[static_cast<size_t>(i)]);
    graph.erase(op);
    at = first ? graph.ops().begin() : std::next(previous);
    changed = true;
  }
  return changed;
}

}  // namespace weft::passes
