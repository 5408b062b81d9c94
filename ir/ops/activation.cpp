// Activations. Semantics follow torch.nn.functional; at a corner the derivative is PyTorch's.

#include <cmath>
#include <limits>
#include <numbers>

#include "weft/ir/ops/families.h"

namespace weft::ir {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

OpDef activation(std::string name, std::string doc) {
  OpDef def;
  def.name = std::move(name);
  def.doc = std::move(doc);
  def.operands = {{"x", Accepts::floating}};
  def.error_ulps = 32;
  return def;
}

/// The attributes of an elementwise activation, all numbers, in the order of its definition.
using Numbers = std::vector<double>;
/// The gradient from the gradient g of the result, the operand x and the attributes.
using Gradient = Expr (*)(Expr g, Expr x, const Numbers& a);

Numbers numbers(Attributes attributes) {
  Numbers all;
  for (const Attribute& a : attributes) all.push_back(std::get<double>(a));
  return all;
}

OpDef elementwise(std::string name, std::string doc, std::vector<AttributeSpec> attributes, Scalar (*body)(Scalar x, const Numbers& a),
                  Gradient gradient) {
  OpDef def = activation(std::move(name), std::move(doc));
  def.kind = Kind::elementwise;
  def.attributes = std::move(attributes);
  def.scalar = [body](std::span<const Scalar> x, Attributes a) { return body(x[0], numbers(a)); };
  def.gradient = [gradient](GradientContext& c) -> std::vector<Value> {
    return {gradient({c.builder, c.result_gradients[0]}, {c.builder, c.op.operand(0)}, numbers(c.op.attributes()))};
  };
  return def;
}

AttributeSpec real(std::string name, double fallback, std::string doc) {
  return {std::move(name), AttributeKind::real, Attribute(fallback), std::move(doc)};
}

Scalar exp(Scalar x) { return unary(Primitive::exp, x); }
Scalar log1p(Scalar x) { return unary(Primitive::log1p, x); }
Expr sigmoid(Expr x) { return x.apply("sigmoid"); }

std::vector<Value> gelu(Builder& b, const Op& op) {
  const Expr x{b, op.operand(0)};
  if (op.attribute<std::string>("approximate") == "none") return {x * 0.5 * ((x * (1 / std::numbers::sqrt2)).apply("erf") + 1.0)};
  const double scale = std::numbers::sqrt2 * std::numbers::inv_sqrtpi;
  return {x * 0.5 * (((x + x * x * x * 0.044715) * scale).apply("tanh") + 1.0)};
}

OpDef prelu() {
  OpDef def = activation("prelu", "x where it is positive, else weight * x: with a constant weight, leaky_relu");
  def.kind = Kind::elementwise;
  def.operands.push_back({"weight", Accepts::floating});
  def.scalar = [](std::span<const Scalar> v, Attributes) { return select(v[0].like(0) < v[0], v[0], v[1] * v[0]); };
  def.gradient = [](GradientContext& c) -> std::vector<Value> {
    const Expr g{c.builder, c.result_gradients[0]}, x{c.builder, c.op.operand(0)}, weight{c.builder, c.op.operand(1)};
    const Expr positive = x.like(0) < x;
    return {select(positive, g, g * weight), select(positive, g.like(0), g * x)};
  };
  def.kinks = {0};
  return def;
}

OpDef clamp() {
  OpDef def = elementwise(
      "clamp", "x, but not below `min` nor above `max`, which wins; nan stays nan. At a bound the derivative is 0",
      {real("min", -infinity, "the lower bound"), real("max", infinity, "the upper bound")},
      [](Scalar x, const Numbers& a) {
        const Scalar low = x.like(a[0]), high = x.like(a[1]), raised = select(x < low, low, x);
        return select(high < raised, high, raised);
      },
      [](Expr g, Expr x, const Numbers& a) {
        if (a[0] > -infinity) g = select(x.like(a[0]) < x, g, g.like(0));
        return a[1] < infinity ? select(x < a[1], g, g.like(0)) : g;
      });
  def.infer = [](const InferContext& c) -> std::vector<Type> {
    for (const char* bound : {"min", "max"}) c.require(!std::isnan(c.get<double>(bound)), "a bound must not be nan");
    return {c.operand(0)};
  };
  def.error_ulps = 0;
  return def;
}

}  // namespace

void define_activation_ops(Registry& r) {
  OpDef gelu_op = activation("gelu",
                             "x * Phi(x), Phi the normal distribution function; `approximate` \"tanh\" is Hendrycks and "
                             "Gimpel's 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))");
  gelu_op.attributes = {{"approximate", AttributeKind::text, Attribute(std::string("none")), "by which formula", {"none", "tanh"}}};
  gelu_op.infer = [](const InferContext& c) -> std::vector<Type> { return {c.operand(0)}; };
  gelu_op.decompose = gelu;
  r.add(std::move(gelu_op));

  r.add(prelu());
  r.add(clamp());

  OpDef elu = elementwise(
      "elu", "scale * x where x is positive, else scale * alpha * (e^x - 1)",
      {real("alpha", 1, "minus the limit far below 0, unscaled"), real("scale", 1, "of the result; with selu's two numbers, selu")},
      [](Scalar x, const Numbers& a) { return select(x <= x.like(0), unary(Primitive::expm1, x) * x.like(a[0] * a[1]), x * x.like(a[1])); },
      // By e^x and not by the result: y + alpha would cancel far below 0.
      [](Expr g, Expr x, const Numbers& a) { return select(x <= 0.0, g * (x.apply("exp") * (a[0] * a[1])), g * a[1]); });
  elu.kinks = {0};
  r.add(std::move(elu));

  r.add(elementwise(
      "silu", "x * sigmoid(x)", {}, [](Scalar x, const Numbers&) { return x / (x.like(1) + exp(-x)); },
      [](Expr g, Expr x, const Numbers&) {
        const Expr s = sigmoid(x);
        return g * (s * (x * (1.0 - s) + 1.0));
      }));

  r.add(elementwise(
      "mish", "x * tanh(log(1 + e^x))", {}, [](Scalar x, const Numbers&) { return x * unary(Primitive::tanh, log1p(exp(x))); },
      [](Expr g, Expr x, const Numbers&) {
        const Expr t = x.apply("exp").apply("log1p").apply("tanh");
        return g * (t + x * sigmoid(x) * (1.0 - t * t));
      }));

  r.add(elementwise(
      "softplus", "log(1 + e^(beta x)) / beta; x itself where beta x is above the threshold",
      {real("beta", 1, "sharpness"), real("threshold", 20, "where the curve counts as straight")},
      [](Scalar x, const Numbers& a) {
        const Scalar scaled = x * x.like(a[0]);
        return select(x.like(a[1]) < scaled, x, log1p(exp(scaled)) / x.like(a[0]));
      },
      [](Expr g, Expr x, const Numbers& a) {
        const Expr scaled = x * a[0];
        return select(scaled.like(a[1]) < scaled, g, g * sigmoid(scaled));
      }));

  OpDef hardswish = elementwise(
      "hardswish", "x * min(max(x + 3, 0), 6) / 6; the derivative at 3 is 1", {},
      [](Scalar x, const Numbers&) {
        const Scalar raised = x + x.like(3), zero = x.like(0), six = x.like(6);
        const Scalar positive = select(raised < zero, zero, raised);
        return x * select(six < positive, six, positive) / six;
      },
      [](Expr g, Expr x, const Numbers&) { return select(x <= -3.0, g.like(0), select(x < 3.0, g * (x / 3.0 + 0.5), g)); });
  hardswish.sample_low = -4, hardswish.sample_high = 4, hardswish.kinks = {-3, 3};
  r.add(std::move(hardswish));

  r.add(elementwise(
      "logsigmoid", "log(sigmoid(x))", {},
      [](Scalar x, const Numbers&) {
        const Scalar zero = x.like(0);
        return select(x < zero, x, zero) - log1p(exp(-unary(Primitive::absolute, x)));
      },
      [](Expr g, Expr x, const Numbers&) { return g * sigmoid(-x); }));
}

}  // namespace weft::ir
