// Activations. Semantics follow torch.nn.functional; at a corner the derivative is PyTorch's.

#include <cmath>
#include <limits>
#include <numbers>

#include "weft/ir/ops/families.h"

namespace weft::ir {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

template <class Body, class Gradient>
OpDef activation(std::string name, std::string doc, std::vector<AttributeSpec> attributes, Body body, Gradient gradient) {
  OpDef def = elementwise(std::move(name), std::move(doc), {{"x", Accepts::floating}}, std::move(attributes), body, gradient);
  def.error_ulps = 32;
  return def;
}

Expr sigmoid(Expr x) { return x.apply("sigmoid"); }

Expr gelu(Expr x, const AttributeView& a) {
  if (a.text("approximate") == "none") return x * 0.5 * ((x * (1 / std::numbers::sqrt2)).apply("erf") + 1.0);
  const double scale = std::numbers::sqrt2 * std::numbers::inv_sqrtpi;
  return x * 0.5 * (((x + x * x * x * 0.044715) * scale).apply("tanh") + 1.0);
}

OpDef clamp() {
  OpDef def = activation(
      "clamp", "x, but not below `min` nor above `max`, which wins; nan stays nan. At a bound the derivative is 0",
      {attribute("min", -infinity, "the lower bound"), attribute("max", infinity, "the upper bound")},
      [](Scalar x, const AttributeView& a) {
        const Scalar low = x.like(a.real("min")), high = x.like(a.real("max")), raised = select(x < low, low, x);
        return select(high < raised, high, raised);
      },
      [](Expr g, Expr x, Expr, const AttributeView& a) {
        const double low = a.real("min"), high = a.real("max");
        if (low > -infinity) g = select(x.like(low) < x, g, g.like(0));
        return high < infinity ? select(x < high, g, g.like(0)) : g;
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
  AttributeSpec approximate = attribute("approximate", "none", "by which formula");
  approximate.choices = {"none", "tanh"};
  OpDef gelu_op = composite("gelu",
                            "x * Phi(x), Phi the normal distribution function; `approximate` \"tanh\" is Hendrycks and "
                            "Gimpel's 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))",
                            {{"x", Accepts::floating}}, {approximate}, gelu);
  gelu_op.infer = [](const InferContext& c) -> std::vector<Type> { return {c.operand(0)}; };
  gelu_op.error_ulps = 32;
  gelu_op.autocast = Autocast::follows;
  r.add(std::move(gelu_op));

  OpDef prelu = elementwise(
      "prelu", "x where it is positive, else weight * x: with a constant weight, leaky_relu",
      {{"x", Accepts::floating}, {"weight", Accepts::floating}}, {},
      [](Scalar x, Scalar weight) { return select(x.like(0) < x, x, weight * x); },
      [](Expr g, Expr x, Expr weight, Expr) {
        const Expr positive = x.like(0) < x;
        return std::pair{select(positive, g, g * weight), select(positive, g.like(0), g * x)};
      });
  prelu.error_ulps = 32, prelu.kinks = {0};
  r.add(std::move(prelu));
  r.add(clamp());

  OpDef elu = activation(
      "elu", "scale * x where x is positive, else scale * alpha * (e^x - 1)",
      {attribute("alpha", 1.0, "minus the limit far below 0, unscaled"),
       attribute("scale", 1.0, "of the result; with selu's two numbers, selu")},
      [](Scalar x, const AttributeView& a) {
        const double alpha = a.real("alpha"), scale = a.real("scale");
        return select(x <= 0.0, expm1(x) * (alpha * scale), x * scale);
      },
      // By e^x and not by the result: y + alpha would cancel far below 0. Of x where it is negative alone, so that this has a derivative,
      // too, where e^x is infinite.
      [](Expr g, Expr x, Expr, const AttributeView& a) {
        const double alpha = a.real("alpha"), scale = a.real("scale");
        return select(x <= 0.0, g * (select(x < 0.0, x, x.like(0)).apply("exp") * (alpha * scale)), g * scale);
      });
  elu.kinks = {0};
  r.add(std::move(elu));

  r.add(activation(
      "silu", "x * sigmoid(x)", {}, [](Scalar x) { return x / (1.0 + exp(-x)); },
      [](Expr g, Expr x, Expr) {
        const Expr s = sigmoid(x);
        return g * (s * (x * (1.0 - s) + 1.0));
      }));

  r.add(activation(
      "mish", "x * tanh(log(1 + e^x))", {}, [](Scalar x) { return x * tanh(log1p(exp(x))); },
      [](Expr g, Expr x, Expr) {
        const Expr t = x.apply("exp").apply("log1p").apply("tanh");
        return g * (t + x * sigmoid(x) * (1.0 - t * t));
      }));

  OpDef softplus = activation(
      "softplus", "log(1 + e^(beta x)) / beta; x itself where beta x is above the threshold",
      {attribute("beta", 1.0, "sharpness"), attribute("threshold", 20.0, "where the curve counts as straight")},
      [](Scalar x, const AttributeView& a) {
        const double beta = a.real("beta");
        const Scalar scaled = x * beta;
        return select(x.like(a.real("threshold")) < scaled, x, log1p(exp(scaled)) / beta);
      },
      [](Expr g, Expr x, Expr, const AttributeView& a) {
        const Expr scaled = x * a.real("beta");
        return select(scaled.like(a.real("threshold")) < scaled, g, g * sigmoid(scaled));
      });
  softplus.autocast = Autocast::wide;
  r.add(std::move(softplus));

  OpDef hardswish = activation(
      "hardswish", "x * min(max(x + 3, 0), 6) / 6; the derivative at 3 is 1", {},
      [](Scalar x) {
        const Scalar raised = x + 3.0, zero = x.like(0), six = x.like(6);
        const Scalar positive = select(raised < zero, zero, raised);
        return x * select(six < positive, six, positive) / six;
      },
      [](Expr g, Expr x, Expr) { return select(x <= -3.0, g.like(0), select(x < 3.0, g * (x / 3.0 + 0.5), g)); });
  hardswish.sample_low = -4, hardswish.sample_high = 4, hardswish.kinks = {-3, 3};
  r.add(std::move(hardswish));

  r.add(activation(
      "logsigmoid", "log(sigmoid(x))", {},
      [](Scalar x) {
        const Scalar zero = x.like(0);
        return select(x < zero, x, zero) - log1p(exp(-abs(x)));
      },
      [](Expr g, Expr x, Expr) { return g * sigmoid(-x); }));
}

}  // namespace weft::ir
