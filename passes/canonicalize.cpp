#include "weft/passes/rewrites.h"
#include "weft/passes/simplify.h"

namespace weft::passes {
namespace {

ir::Value rewrite_once(ir::Builder& builder, const ir::Op& op, const OnRewrite& on_rewrite) {
  for (const auto* table : {&arithmetic_rewrites(), &movement_rewrites(), &contraction_rewrites()})
    for (const Rewrite& row : *table)
      if (row.op == op.name())
        if (const ir::Value v = row.apply(builder, op)) {
          if (on_rewrite) on_rewrite(row);
          return v;
        }
  return {};
}

}  // namespace

bool canonicalize(ir::Module& module, const OnRewrite& on_rewrite) {
  ir::Graph& graph = module.graph();
  bool changed = false;
  for (ir::Op* op : graph.op_list()) {
    if (op->result_count() != 1 || op->is_unused()) continue;
    ir::Builder builder(graph, op, op->locations());
    const ir::Value better = rewrite_once(builder, *op, on_rewrite);
    if (!better) continue;
    op->result().replace_all_uses_with(better);
    graph.erase(*op);
    changed = true;
  }
  return changed;
}

}  // namespace weft::passes
