#include "weft/passes/legalize.h"

#include <algorithm>
#include <optional>
#include <unordered_set>

#include "weft/ir/builder.h"
#include "weft/ir/order.h"
#include "weft/passes/dependencies.h"
#include "weft/passes/groups.h"
#include "weft/passes/liveness.h"
#include "weft/passes/loop_nest.h"

namespace weft::passes {
namespace {

using ir::Builder;
using ir::Op;
using ir::Value;

/// Does an op that reads `old` need the result of `writer`? Then it cannot come before it.
bool is_read_after(Value old, const Op& writer) {
  const std::vector<Op*> readers = memory_readers(old);
  std::unordered_set<const Op*> seen;
  std::vector<const Op*> stack{&writer};
  while (!stack.empty()) {
    const Op* op = stack.back();
    stack.pop_back();
    for (Value v : op->results())
      for (const Op* user : v.users())
        if (seen.insert(user).second) stack.push_back(user);
  }
  return std::any_of(readers.begin(), readers.end(), [&](const Op* r) { return seen.contains(r); });
}

}  // namespace

namespace {

/// Takes an epilogue apart again: the product alone, then the body's ops. Returns the product.
Op& split_epilogue(Op& op) {
  ir::Graph& graph = op.graph();
  Builder builder(graph, &op, op.locations());
  Op& product = builder.create(op.name(), {op.operand(0), op.operand(1)}, ir::named_attributes(op));
  std::vector<Value> operands{product.result()};
  operands.insert(operands.end(), op.operands().begin() + 2, op.operands().end());
  op.result().replace_all_uses_with(inline_body(op.body(), operands, graph, &op)[0]);
  graph.erase(op);
  return product;
}

/// A product of bf16 as one of f32 whose result is rounded, which is what it is by its definition; none where the target does
/// not run that either.
std::optional<Value> widened(Op& op, const Target& target) {
  if (!op.def().bilinear || op.result().dtype() != bf16) return std::nullopt;
  Builder b(op.graph(), &op, op.locations());
  const std::vector<Op*> casts{b.cast(op.operand(0), f32).op(), b.cast(op.operand(1), f32).op()};
  Op& wide = b.create(op.name(), {casts[0]->result(), casts[1]->result()}, ir::named_attributes(op));
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
      throw Error("the target '{}' cannot run {} {}, at {}", target.name(), op->name(), to_string(op->result().type()),
                  to_string(op->locations()));
    if (const auto wide = widened(*op, target)) {
      op->result().replace_all_uses_with(*wide);
      module.graph().erase(*op);
      changed = true;
      continue;
    }
    if (remarks)
      remarks->push_back(fmt::format("written out: {} of {} at {}: {}", op->name(), to_string(op->operand(0).type()), to_string(op->locations()),
                                     claimed ? "the library has only its plain loops for it" : "the target's library does not run it"));
    Builder builder(module.graph(), op, op->locations());
    const std::vector<Value> results = ir::decompose(builder, *op);
    op->result().replace_all_uses_with(results[0]);
    module.graph().erase(*op);
    changed = true;
  }
  return changed;
}

namespace {

Value copy_of(const ir::Output& output) {
  return Builder(*output.value.graph(), nullptr, output.locations)("copy", {output.value});
}

/// Updates that each read what another one replaces have no order, until everyone reads a copy of one old value.
void break_circles(ir::Graph& graph) {
  for (std::vector<int> stuck = circular_updates(graph); !stuck.empty(); stuck = circular_updates(graph)) {
    const ir::Output& output = graph.outputs()[static_cast<size_t>(stuck[0])];
    const Value old = graph.input(*output.alias);
    const std::vector<ir::Use> readers(old.users().begin(), old.users().end());
    const Value copy = Builder(graph, graph.ops().front(), output.locations)("copy", {old});
    for (const ir::Use& reader : readers) reader.op->set_operand(reader.operand, copy);
  }
}

}  // namespace

bool updates(ir::Module& module) {
  ir::Graph& graph = module.graph();
  const std::vector<Op*> before = graph.op_list();
  std::unordered_set<Value, ir::ValueHash> taken;
  for (size_t i = 0; i < graph.outputs().size(); ++i) {
    const ir::Output& output = graph.outputs()[i];
    if (!output.alias) continue;
    const Value old = graph.input(*output.alias);
    const bool own = !output.value.is_input() && may_replace(output.value, old) &&
                     !is_read_after(old, *output.value.op());
    if (!own || !taken.insert(output.value).second) graph.set_output(i, copy_of(output));
  }
  for (size_t i = 0; i < graph.outputs().size(); ++i) {
    const ir::Output& output = graph.outputs()[i];
    const Value owner = owner_of(output.value);
    if (!output.alias && (owner.is_input() || taken.contains(owner))) graph.set_output(i, copy_of(output));
  }
  break_circles(graph);
  sort_by_dependencies(graph);
  return graph.op_list() != before;
}

}  // namespace weft::passes
