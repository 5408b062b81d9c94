#include "weft/passes/dce.h"

#include "weft/support/work.h"

namespace weft::passes {

using ir::Op;

bool dce(ir::Graph& graph) {
  bool changed = false;
  count_work(static_cast<int64_t>(graph.ops().size()));
  for (Op *op = graph.previous(nullptr), *before; op; op = before) {
    before = graph.previous(op);
    if (!op->is_unused()) continue;
    graph.erase(*op);
    changed = true;
  }
  return changed;
}

bool dce(ir::Module& module) {
  ir::Graph& graph = module.graph();
  bool changed = dce(graph);
  for (int i = static_cast<int>(graph.inputs().size()) - 1; i >= 0; --i) {
    const ir::Input& input = graph.inputs()[static_cast<size_t>(i)];
    if (input.role != ir::Role::hyper || !input.value().users().empty() || graph.is_output(input.value())) continue;
    graph.remove_input(i);
    changed = true;
  }
  return changed;
}

}  // namespace weft::passes
