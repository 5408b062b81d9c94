#include "weft/passes/canonicalize.h"

#include <unordered_map>

#include "weft/passes/rewrites.h"

namespace weft::passes {
namespace {

/// The rows for an op, in the order of the tables.
const std::vector<const Rewrite*>& rows_for(const ir::OpDef& def) {
  static const auto all = [] {
    std::unordered_map<std::string_view, std::vector<const Rewrite*>> rows;
    for (const auto* table : {&arithmetic_rewrites(), &movement_rewrites(), &contraction_rewrites(), &window_rewrites()})
      for (const Rewrite& row : *table) rows[row.op].push_back(&row);
    return rows;
  }();
  static const std::vector<const Rewrite*> none;
  const auto found = all.find(def.name);
  return found == all.end() ? none : found->second;
}

ir::Value rewrite_once(ir::Builder& builder, const ir::Op& op, const OnRewrite& on_rewrite) {
  for (const Rewrite* row : rows_for(op.def()))
    if (const ir::Value v = row->apply(builder, op)) {
      if (on_rewrite) on_rewrite(*row);
      return v;
    }
  return {};
}

}  // namespace

bool canonicalize(ir::Module& module, const OnRewrite& on_rewrite) {
  ir::Graph& graph = module.graph();
  bool changed = false;
  for (ir::Op* op : graph.editable_ops()) {
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
