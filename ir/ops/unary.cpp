// Elementwise ops of one operand. Semantics follow torch.<name> unless said otherwise.

#include <cmath>
#include <limits>
#include <numbers>

#include "weft/ir/ops/families.h"

namespace weft::ir {
namespace {

NoGradient piecewise_constant() { return {"piecewise constant: its derivative is zero wherever it exists"}; }

template <class Body, class Gradient>
OpDef unary(std::string name, Accepts accepts, std::string doc, Body body, Gradient gradient) {
  return elementwise(std::move(name), std::move(doc), {{"x", accepts}}, {}, body, gradient);
}

template <Primitive p>
Scalar primitive(Scalar x) {
  return weft::ir::unary(p, x);
}

/// The logarithm to a base: the integer that it is where x is a power of the base, else the natural one scaled.
Scalar logarithm(Scalar x, double base) {
  const Scalar y = log(x) * (1 / std::log(base)), whole = round(y);
  return select(pow(x.like(base), whole) == x, whole, y);
}

/// Of f16, whose denormal numbers are larger, all are kept.
Scalar flushed(Scalar x) {
  const double smallest = x.dtype() == f64 ? std::numeric_limits<double>::min() : static_cast<double>(std::numeric_limits<float>::min());
  return select(primitive<Primitive::absolute>(x) < x.like(smallest), x.like(0), x);
}

OpDef in(OpDef def, double low, double high, std::vector<double> kinks = {}, double ulps = 4) {
  def.sample_low = low;
  def.sample_high = high;
  def.kinks = std::move(kinks);
  def.error_ulps = ulps;
  return def;
}

/// Under autocast in f32.
OpDef wide(OpDef def) {
  def.autocast = Autocast::wide;
  return def;
}

std::vector<Type> to_bool(const InferContext& c) { return {{boolean, c.shape(0)}}; }

}  // namespace

void define_unary_ops(Registry& r) {
  constexpr auto number = Accepts::number, floating = Accepts::floating;
  OpDef neg = unary("neg", number, "-x", [](Scalar x) { return -x; }, [](Expr g, Expr, Expr) { return -g; });
  neg.linear = true;
  r.add(std::move(neg));
  r.add(in(unary("abs", number, "|x|; the derivative at 0 is 0", primitive<Primitive::absolute>,
                 [](Expr g, Expr x, Expr) { return g * x.apply("sign"); }),
           -2, 2, {0}));
  r.add(wide(unary("exp", floating, "e^x", primitive<Primitive::exp>, [](Expr g, Expr, Expr y) { return g * y; })));
  r.add(wide(unary("expm1", floating, "e^x - 1, accurate near 0", primitive<Primitive::expm1>,
                   [](Expr g, Expr, Expr y) { return g * (y + 1.0); })));
  r.add(wide(in(unary("log", floating, "Natural logarithm of x; -inf at 0, nan below", primitive<Primitive::log>,
                      [](Expr g, Expr x, Expr) { return g / x; }),
                0.1, 4)));
  r.add(wide(in(unary("log1p", floating, "log(1 + x), accurate near 0", primitive<Primitive::log1p>,
                      [](Expr g, Expr x, Expr) { return g / (x + 1.0); }),
                -0.8, 3)));
  r.add(wide(in(unary(
                    "log2", floating, "Logarithm of x to base 2, exact for powers of 2; -inf at 0, nan below",
                    [](Scalar x) { return logarithm(x, 2); }, [](Expr g, Expr x, Expr) { return g / (x * std::numbers::ln2); }),
                0.1, 4)));
  r.add(wide(in(unary(
                    "log10", floating, "Logarithm of x to base 10, exact for powers of 10; -inf at 0, nan below",
                    [](Scalar x) { return logarithm(x, 10); }, [](Expr g, Expr x, Expr) { return g / (x * std::numbers::ln10); }),
                0.1, 4)));
  r.add(wide(unary(
      "exp2", floating, "2^x", [](Scalar x) { return pow(x.like(2), x); },
      [](Expr g, Expr, Expr y) { return g * (y * std::numbers::ln2); })));
  r.add(in(unary("sqrt", floating, "Square root of x; nan below 0", primitive<Primitive::sqrt>,
                 [](Expr g, Expr, Expr y) { return g / (y * 2.0); }),
           0.1, 4));
  r.add(wide(in(unary(
                    "rsqrt", floating, "1 / sqrt(x)", [](Scalar x) { return x.like(1) / weft::ir::unary(Primitive::sqrt, x); },
                    [](Expr g, Expr, Expr y) { return g * -0.5 * (y * y * y); }),
                0.1, 4)));
  r.add(
      wide(in(unary(
                  "reciprocal", floating, "1 / x", [](Scalar x) { return x.like(1) / x; }, [](Expr g, Expr, Expr y) { return -g * y * y; }),
              0.2, 3)));
  r.add(wide(unary("square", number, "x * x", [](Scalar x) { return x * x; }, [](Expr g, Expr x, Expr) { return g * x * 2.0; })));
  r.add(unary("sin", floating, "Sine of x in radians", primitive<Primitive::sin>, [](Expr g, Expr x, Expr) { return g * x.apply("cos"); }));
  r.add(unary("cos", floating, "Cosine of x in radians", primitive<Primitive::cos>,
              [](Expr g, Expr x, Expr) { return -g * x.apply("sin"); }));
  r.add(unary("asinh", floating, "Inverse hyperbolic sine of x", primitive<Primitive::asinh>,
              [](Expr g, Expr x, Expr) { return g / (x * x + 1.0).apply("sqrt"); }));
  r.add(unary("tanh", floating, "Hyperbolic tangent of x", primitive<Primitive::tanh>,
              [](Expr g, Expr, Expr y) { return g * (1.0 - y * y); }));
  r.add(unary("erf", floating, "Error function, 2/sqrt(pi) * integral of exp(-t^2) from 0 to x", primitive<Primitive::erf>,
              [](Expr g, Expr x, Expr) { return g * (x * x * -1.0).apply("exp") * (2 * std::numbers::inv_sqrtpi); }));
  r.add(unary(
      "sigmoid", floating, "1 / (1 + e^-x)", [](Scalar x) { return x.like(1) / (x.like(1) + weft::ir::unary(Primitive::exp, -x)); },
      [](Expr g, Expr, Expr y) { return g * y * (1.0 - y); }));
  r.add(in(unary(
               "relu", number, "max(x, 0); nan stays nan, the derivative at 0 is 0",
               [](Scalar x) { return select(x < x.like(0), x.like(0), x); },
               [](Expr g, Expr, Expr y) { return select(y <= y.like(0), g.like(0), g); }),
           -2, 2, {0}));
  r.add(
      in(unary(
             "sign", number, "The sign of x: -1, 0 or 1; 0 for nan",
             [](Scalar x) { return select(x.like(0) < x, x.like(1), select(x < x.like(0), x.like(-1), x.like(0))); }, piecewise_constant()),
         -2, 2, {0}));
  r.add(in(unary("floor", floating, "Largest integer not above x", primitive<Primitive::floor>, piecewise_constant()), -3, 3,
           {-3, -2, -1, 0, 1, 2, 3}));
  r.add(in(unary("ceil", floating, "Smallest integer not below x", primitive<Primitive::ceil>, piecewise_constant()), -3, 3,
           {-3, -2, -1, 0, 1, 2, 3}));
  r.add(in(unary(
               "trunc", floating, "The integer part of x, rounded towards 0", [](Scalar x) { return select(x < 0.0, ceil(x), floor(x)); },
               piecewise_constant()),
           -3, 3, {-3, -2, -1, 0, 1, 2, 3}));
  r.add(in(unary("round", floating, "Integer nearest to x, halves to even", primitive<Primitive::round_even>, piecewise_constant()), -3, 3,
           {-2.5, -1.5, -0.5, 0.5, 1.5, 2.5}));
  r.add(unary("not", Accepts::bits, "Not x: logical of a bool, bitwise of an integer", [](Scalar x) { return ~x; }, piecewise_constant()));
  r.add(unary("flush_denormal", floating, "x, and 0 where it is denormal: below 2.2e-308 in f64, below 1.2e-38 in every other type",
              flushed, [](Expr g, Expr, Expr) { return g; }));
  OpDef is_nan = unary("is_nan", floating, "True where x is not a number", [](Scalar x) { return x != x; }, piecewise_constant());
  is_nan.infer = to_bool;
  r.add(std::move(is_nan));
  OpDef copy = unary(
      "copy", Accepts::any, "x in a buffer of its own: how an update hands over a value that others own", [](Scalar x) { return x; },
      [](Expr g, Expr, Expr) { return g; });
  copy.copies = true;
  r.add(std::move(copy));

  OpDef detach;
  detach.name = "detach";
  detach.doc = "x, through which no gradient flows (torch.Tensor.detach)";
  detach.operands = {{"x"}};
  detach.infer = [](const InferContext& c) -> std::vector<Type> { return {c.operand(0)}; };
  detach.decompose = [](Builder&, const Op& op) -> std::vector<Value> { return {op.operand(0)}; };
  detach.no_gradient = "stopping gradients is what it is for";
  detach.autocast = Autocast::follows;
  r.add(std::move(detach));

  OpDef cast_op = elementwise(
      "cast",
      "x in another element type: f32, f16 and bf16 round to nearest even, float to integer truncates, anything to bool is x != 0. "
      "Integers wrap; a float beyond i64 or i32 becomes the nearest extreme, into the other integers it wraps, too (nan: 0)",
      {{"x"}}, {required_attribute("dtype", AttributeKind::dtype, "the result's element type")},
      [](Scalar x, const AttributeView& a) { return cast(x, a.dtype("dtype")); },
      [](Expr g, Expr x, Expr) -> Value {
        if (!is_floating(x.value().dtype())) return {};
        return g.builder().cast(g, x.value().dtype());
      });
  cast_op.converts = true;
  cast_op.infer = [](const InferContext& c) -> std::vector<Type> { return {{c.get<DType>("dtype"), c.shape(0)}}; };
  r.add(std::move(cast_op));
}

}  // namespace weft::ir
