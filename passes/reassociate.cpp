#include "weft/passes/reassociate.h"

#include <algorithm>
#include <unordered_map>

#include "weft/ir/builder.h"
#include "weft/passes/dce.h"

namespace weft::passes {
namespace {

using ir::Builder;
using ir::Op;
using ir::Value;

/// The factor of the product that is worth changing in its place, or -1.
int smaller_factor(Value product) {
  if (product.is_input() || !product.op()->def().contracts() || !product.op()->bodies().empty()) return -1;
  if (product.users().size() != 1 || product.graph()->is_output(product) || !is_floating(product.dtype())) return -1;
  const int64_t a = product.op()->operand(0).shape().numel(), b = product.op()->operand(1).shape().numel();
  if (std::min(a, b) >= product.shape().numel()) return -1;
  return a <= b ? 0 : 1;
}

Value with_factor(Builder& b, Value product, int factor, Value changed) {
  std::vector<Value> operands = product.op()->operands();
  operands[static_cast<size_t>(factor)] = changed;
  return b.copy(*product.op(), operands).result();
}

/// The one number that every element of `v` is, in a value that can be stretched, if it follows from hyper-parameters alone.
Value run_time_number(Value v) {
  if (v.is_input() || !v.op()->def().broadcasts || v.op()->operand(0).shape().numel() != 1) return {};
  std::vector<Value> open{v.op()->operand(0)};
  bool any = false;
  while (!open.empty()) {
    const Value next = open.back();
    open.pop_back();
    if (!next.is_input()) open.insert(open.end(), next.op()->operands().begin(), next.op()->operands().end());
    else if (next.graph()->inputs()[static_cast<size_t>(next.index())].role != ir::Role::hyper) return {};
    else any = true;
  }
  return any ? v.op()->operand(0) : Value();
}

/// The inputs that the outputs replace, by the output's value.
using Replaced = std::unordered_multimap<Value, Value, ir::ValueHash>;

Replaced replaced_inputs(const ir::Graph& graph) {
  Replaced replaced;
  for (const ir::Output& output : graph.outputs())
    if (output.alias) replaced.emplace(output.value, graph.input(*output.alias));
  return replaced;
}

/// Is the op's only use to be added to an input, or subtracted from it, that the sum replaces?
bool updates_in_place(const Op& op, const Replaced& replaced) {
  if (op.result().users().size() != 1 || op.graph().is_output(op.result())) return false;
  const Op& sum = *op.result().users().front().op;
  if (!sum.def().adds) return false;
  const Value other = sum.operand(sum.operand(0) == op.result() ? 1 : 0);
  const auto [from, to] = replaced.equal_range(sum.result());
  return std::any_of(from, to, [&](const auto& output) { return output.second == other; });
}

Value scaled(Builder& b, const Op& op, const Replaced& replaced) {
  if (!updates_in_place(op, replaced)) return {};
  for (int side : {0, 1}) {
    const Value product = op.operand(side), s = run_time_number(op.operand(1 - side));
    const int factor = s ? smaller_factor(product) : -1;
    if (factor < 0) continue;
    const Value a = product.op()->operand(factor);
    return with_factor(b, product, factor, b("mul", {a, b.broadcast(b.reshape(s, {}), a.shape())}));
  }
  return {};
}

Value subtracted(Builder& b, const Op& op) {
  const Value product = op.operand(1);
  const int factor = smaller_factor(product);
  if (factor < 0) return {};
  return b("add", {op.operand(0), with_factor(b, product, factor, b("neg", {product.op()->operand(factor)}))});
}

}  // namespace

bool reassociate(ir::Module& module) {
  ir::Graph& graph = module.graph();
  bool changed = false;
  const Replaced replaced = replaced_inputs(graph);  // of sums, which no equation here takes away from what they update
  for (Op* op : graph.op_list()) {
    const bool scales = op->def().multiplies();
    if (!scales && op->def().adds >= 0) continue;
    Builder b(graph, op, op->locations());
    const Value better = scales ? scaled(b, *op, replaced) : subtracted(b, *op);
    if (!better) continue;
    op->result().replace_all_uses_with(better);
    graph.erase(*op);
    changed = true;
  }
  if (changed) dce(graph);
  return changed;
}

}  // namespace weft::passes
