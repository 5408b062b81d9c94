// softmax and log_softmax. Semantics follow torch.nn.functional.

#include "weft/ir/ops/families.h"

namespace weft::ir {
namespace {

/// `v` reduced along the op's axis by `reduction` and stretched back.
Expr along_axis(Builder& b, const Op& op, std::string_view reduction, Value v) {
  const Value reduced = b(reduction, {v}, {{"axes", Dims{op.integer("axis")}}, {"keep_dims", true}});
  return {b, b.broadcast(reduced, v.shape())};
}

std::vector<Type> infer_axis(const InferContext& c) {
  const int64_t axis = c.get<int64_t>("axis");
  c.require(axis >= 0 && axis < c.shape(0).rank(), fmt::format("axis {} is out of range", axis));
  return {c.operand(0)};
}

OpDef axis_op(std::string name, std::string doc) {
  OpDef def;
  def.name = std::move(name);
  def.doc = std::move(doc);
  def.operands = {{"x", Accepts::floating}};
  def.error_ulps = 32;
  def.attributes = {{"axis", AttributeKind::integer, {}, "not negative"}};
  def.infer = infer_axis;
  def.autocast = Autocast::wide;
  return def;
}

}  // namespace

void define_softmax_ops(Registry& r) {
  OpDef softmax = axis_op("softmax", "e^(x - max) / sum of e^(x - max) along `axis`");
  softmax.decompose = [](Builder& b, const Op& op) -> std::vector<Value> {
    // The axis may be empty: then there is nothing to take the maximum of, and nothing to compute.
    if (op.result().shape().numel() == 0) return {op.operand(0)};
    const Expr x{b, op.operand(0)}, e = (x - along_axis(b, op, "max", x)).apply("exp");
    // One division a row: the sum is at least 1.
    const Value sum = b("sum", {e}, {{"axes", Dims{op.integer("axis")}}, {"keep_dims", true}});
    return {e * Expr(b, b.broadcast(1.0 / Expr(b, sum), op.result().shape()))};
  };
  softmax.gradient = [](GradientContext& c) -> std::vector<Value> {
    const Expr g{c.builder, c.result_gradients[0]}, y{c.builder, c.op.result()};
    return {(g - along_axis(c.builder, c.op, "sum", g * y)) * y};
  };
  r.add(std::move(softmax));

  OpDef log_softmax = axis_op("log_softmax", "x - max - log(sum of e^(x - max)) along `axis`");
  log_softmax.decompose = [](Builder& b, const Op& op) -> std::vector<Value> {
    if (op.result().shape().numel() == 0) return {op.operand(0)};
    const Expr x{b, op.operand(0)}, shifted = x - along_axis(b, op, "max", x);
    const Value sum = b("sum", {shifted.apply("exp")}, {{"axes", Dims{op.integer("axis")}}, {"keep_dims", true}});
    return {shifted - Expr(b, b.broadcast(b("log", {sum}), x.value().shape()))};
  };
  log_softmax.gradient = [](GradientContext& c) -> std::vector<Value> {
    const Expr g{c.builder, c.result_gradients[0]}, y{c.builder, c.op.result()};
    return {g - y.apply("exp") * along_axis(c.builder, c.op, "sum", g)};
  };
  r.add(std::move(log_softmax));
}

}  // namespace weft::ir
