#include "weft/passes/legalize.h"

#include <algorithm>
#include <numeric>
#include <unordered_set>

#include "weft/ir/builder.h"
#include "weft/passes/dependencies.h"
#include "weft/passes/groups.h"
#include "weft/passes/liveness.h"
#include "weft/passes/loop_nest.h"

namespace weft::passes {
namespace {

using ir::Builder;
using ir::Op;
using ir::Value;

Value swap_last_two(Builder& b, Value v) {
  Dims permutation(v.shape().dims().size());
  std::iota(permutation.begin(), permutation.end(), 0);
  std::swap(permutation[permutation.size() - 1], permutation[permutation.size() - 2]);
  return b("transpose", {v}, {{"permutation", permutation}});
}

Value expanded_matmul(Builder& b, const Op& op) {
  // Products of bf16 are summed in f32, as a library would.
  const DType wide = op.operand(0).dtype() == bf16 ? f32 : op.operand(0).dtype();
  Value x = b.cast(op.operand(0), wide), y = b.cast(op.operand(1), wide);
  if (op.flag("transpose_a")) x = swap_last_two(b, x);
  if (!op.flag("transpose_b")) y = swap_last_two(b, y);
  const size_t rank = x.shape().dims().size();
  Dims rows = x.shape().dims(), columns = y.shape().dims();
  Dims all(rows.begin(), rows.end() - 1);
  all.push_back(columns[rank - 2]);
  all.push_back(rows[rank - 1]);
  rows.insert(rows.end() - 1, 1);
  columns.insert(columns.end() - 2, 1);
  const Value left = b.broadcast(b.reshape(x, Shape(rows)), Shape(all));
  const Value right = b.broadcast(b.reshape(y, Shape(columns)), Shape(all));
  return b.cast(b.sum(b("mul", {left, right}), {static_cast<int64_t>(rank)}), op.operand(0).dtype());
}

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
  op.result().replace_all_uses_with(inline_body(op.body(), operands, op)[0]);
  graph.erase(op);
  return product;
}

}  // namespace

bool expand(ir::Module& module, const Target& target) {
  bool changed = false;
  for (Op* op : module.graph().op_list()) {
    if (op->def().kind != ir::Kind::heavy) continue;
    if (!op->bodies().empty() && !(target.claims(*op) && target.accepts_epilogue(*op, op->body()))) {
      op = &split_epilogue(*op);
      changed = true;
    }
    if (target.claims(*op)) continue;
    if (!op->is("matmul"))
      throw Error("the target '{}' cannot run {} {}, at {}", target.name(), op->name(), to_string(op->result().type()),
                  to_string(op->locations()));
    Builder builder(module.graph(), op, op->locations());
    op->result().replace_all_uses_with(expanded_matmul(builder, *op));
    module.graph().erase(*op);
    changed = true;
  }
  return changed;
}

bool updates(ir::Module& module) {
  ir::Graph& graph = module.graph();
  const std::vector<Op*> before = graph.op_list();
  std::unordered_set<Value, ir::ValueHash> taken, replaced;
  for (const ir::Output& output : graph.outputs())
    if (output.alias) replaced.insert(graph.input(*output.alias));
  for (ir::Output& output : graph.outputs()) {
    if (output.alias) {
      const Value old = graph.input(*output.alias);
      const bool own = !output.value.is_input() && may_replace(output.value, old) &&
                       !is_read_after(old, *output.value.op());
      if (own && taken.insert(output.value).second) continue;
    } else if (!replaced.contains(owner_of(output.value))) {
      continue;  // else an old value, which must outlive its replacement
    }
    output.value = Builder(graph, nullptr, output.locations)("copy", {output.value});
  }
  sort_by_dependencies(graph);
  return graph.op_list() != before;
}

}  // namespace weft::passes
