#include "weft/passes/reassociate.h"

#include "weft/ir/builder.h"
#include "weft/passes/simplify.h"

namespace weft::passes {
namespace {

using ir::Builder;
using ir::Op;
using ir::Value;

/// The factor of the product that is worth changing in its place, or -1.
int smaller_factor(Value product) {
  if (product.is_input() || !product.op()->def().bilinear || !product.op()->bodies().empty()) return -1;
  if (product.users().size() != 1 || product.graph()->is_output(product) || !is_floating(product.dtype())) return -1;
  const int64_t a = product.op()->operand(0).shape().numel(), b = product.op()->operand(1).shape().numel();
  if (std::min(a, b) >= product.shape().numel()) return -1;
  return a <= b ? 0 : 1;
}

Value with_factor(Builder& b, Value product, int factor, Value changed) {
  std::vector<Value> operands = product.op()->operands();
  operands[static_cast<size_t>(factor)] = changed;
  return b.create(product.op()->name(), operands, ir::named_attributes(*product.op())).result();
}

/// The single number that every element of `v` is, in a value that can be stretched to `shape`.
Value number_in(Builder& b, Value v, const Shape& shape) {
  if (v.is_input()) return {};
  const Op& op = *v.op();
  if (op.def().kind == ir::Kind::constant) {
    const auto& d = op.attribute<ir::Dense>("value");
    return d.is_splat() ? b.splat({v.dtype(), shape}, d.at(0)) : Value();
  }
  if (!op.is("broadcast") || op.operand(0).shape().numel() != 1) return {};
  return b.broadcast(b.reshape(op.operand(0), {}), shape);
}

Value scaled(Builder& b, const Op& op) {
  for (int side : {0, 1}) {
    const Value product = op.operand(side);
    const int factor = smaller_factor(product);
    if (factor < 0) continue;
    const Value a = product.op()->operand(factor), s = number_in(b, op.operand(1 - side), a.shape());
    if (s) return with_factor(b, product, factor, b("mul", {a, s}));
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
  for (Op* op : graph.op_list()) {
    if (!op->is("mul") && !op->is("sub")) continue;
    Builder b(graph, op, op->locations());
    const Value better = op->is("mul") ? scaled(b, *op) : subtracted(b, *op);
    if (!better) continue;
    op->result().replace_all_uses_with(better);
    graph.erase(*op);
    changed = true;
  }
  if (changed) dce(graph);
  return changed;
}

}  // namespace weft::passes
