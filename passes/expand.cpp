#include "weft/passes/expand.h"

#include <optional>

#include "weft/ir/builder.h"
#include "weft/ir/order.h"

namespace weft::passes {
namespace {

using ir::Builder;
using ir::Op;
using ir::Value;

/// Takes an epilogue apart again: the product alone, then the body's ops. Returns the product.
Op& split_epilogue(Op& op) {
  ir::Graph& graph = op.graph();
  Builder builder(graph, &op, op.locations());
  Op& product = builder.copy(op, {op.operand(0), op.operand(1)}, {}, {});
  std::vector<Value> operands{product.result()};
  operands.insert(operands.end(), op.operands().begin() + 2, op.operands().end());
  op.result().replace_all_uses_with(inline_body(op.body(), operands, graph, &op)[0]);
  graph.erase(op);
  return product;
}

/// A product of bf16 as one of f32 whose result is rounded, which is what it is by its definition; none where the target does
/// not run that either.
std::optional<Value> widened(Op& op, const Target& target) {
  if (!op.def().contracts() || op.result().dtype() != bf16) return std::nullopt;
  Builder b(op.graph(), &op, op.locations());
  const std::vector<Op*> casts{b.cast(op.operand(0), f32).op(), b.cast(op.operand(1), f32).op()};
  Op& wide = b.copy(op, {casts[0]->result(), casts[1]->result()});
  if (target.claims(wide) && !target.is_better_expanded(wide)) return b.cast(wide.result(), bf16);
  op.graph().erase(wide);
  for (Op* cast : casts) op.graph().erase(*cast);
  return std::nullopt;
}

}  // namespace

bool expand(ir::Module& module, const Target& target, std::vector<std::string>* remarks) {
  bool changed = false;
  for (Op* op : module.graph().op_list()) {
    if (op->def().kind != ir::Kind::heavy) continue;
    if (!op->bodies().empty() && !(target.claims(*op) && target.accepts_epilogue(*op, op->body()))) {
      op = &split_epilogue(*op);
      changed = true;
    }
    const bool claimed = target.claims(*op);
    if (claimed && !target.is_better_expanded(*op)) continue;
    if (!op->def().decompose)
      throw Error(ErrorKind::device, "the target '{}' cannot run {} {}", target.name(), op->name(), to_string(op->result().type()))
          .at(to_string(op->locations()));
    if (const auto wide = widened(*op, target)) {
      if (remarks)
        remarks->push_back(fmt::format("computed in f32: {} of {} at {}: the target has nothing faster for bf16", op->name(),
                                       to_string(op->operand(0).type()), to_string(op->locations())));
      op->result().replace_all_uses_with(*wide);
      module.graph().erase(*op);
      changed = true;
      continue;
    }
    if (remarks)
      remarks->push_back(fmt::format("written out: {} of {} at {}: {}", op->name(), to_string(op->operand(0).type()),
                                     to_string(op->locations()),
                                     claimed ? "the library has only its plain loops for it" : "the target's library does not run it"));
    Builder builder(module.graph(), op, op->locations());
    const std::vector<Value> results = ir::decompose(builder, *op);
    op->result().replace_all_uses_with(results[0]);
    module.graph().erase(*op);
    changed = true;
  }
  return changed;
}

}  // namespace weft::passes
