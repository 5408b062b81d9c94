// Activations and normalizing functions that are made of other ops. Semantics follow torch.nn.functional.

#include <cmath>
#include <numbers>

#include "weft/ir/ops/families.h"

namespace weft::ir {
namespace {

OpDef composite(std::string name, std::string doc) {
  OpDef def;
  def.name = std::move(name);
  def.doc = std::move(doc);
  def.operands = {{"x", Accepts::floating}};
  def.error_ulps = 32;
  return def;
}

std::vector<Value> gelu(Builder& b, const Op& op) {
  const Expr x{b, op.operand(0)};
  if (op.attribute<std::string>("approximate") == "none")
    return {x * 0.5 * ((x * (1 / std::numbers::sqrt2)).apply("erf") + 1.0)};
  const double scale = std::numbers::sqrt2 * std::numbers::inv_sqrtpi;
  return {x * 0.5 * (((x + x * x * x * 0.044715) * scale).apply("tanh") + 1.0)};
}

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
  OpDef def = composite(std::move(name), std::move(doc));
  def.attributes = {{"axis", AttributeKind::integer, {}, "not negative"}};
  def.infer = infer_axis;
  return def;
}

}  // namespace

void define_activation_ops(Registry& r) {
  OpDef gelu_op = composite("gelu", "x * Phi(x), Phi the normal distribution function; `approximate` \"tanh\" is Hendrycks and "
                                    "Gimpel's 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))");
  gelu_op.attributes = {{"approximate", AttributeKind::text, Attribute(std::string("none")), "by which formula", {"none", "tanh"}}};
  gelu_op.infer = [](const InferContext& c) -> std::vector<Type> { return {c.operand(0)}; };
  gelu_op.decompose = gelu;
  r.add(std::move(gelu_op));

  OpDef softmax = axis_op("softmax", "e^(x - max) / sum of e^(x - max) along `axis`");
  softmax.decompose = [](Builder& b, const Op& op) -> std::vector<Value> {
    // The axis may be empty: then there is nothing to take the maximum of, and nothing to compute.
    if (op.result().shape().numel() == 0) return {op.operand(0)};
    const Expr x{b, op.operand(0)}, e = (x - along_axis(b, op, "max", x)).apply("exp");
    return {e / along_axis(b, op, "sum", e)};
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
