// Trigonometric and hyperbolic functions but for sin, cos and tanh, and what belongs to the plane. Semantics follow torch.<name>.

#include <cmath>
#include <limits>
#include <numbers>

#include "weft/ir/ops/families.h"

namespace weft::ir {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// The samples of the walk over all ops come from the interval, the errors are in ulps of the result.
template <class Body, class Gradient>
OpDef function(std::string name, std::string doc, double low, double high, double ulps, Body body, Gradient gradient) {
  OpDef def = elementwise(std::move(name), std::move(doc), {{"x", Accepts::floating}}, {}, body, gradient);
  def.sample_low = low, def.sample_high = high, def.error_ulps = ulps;
  return def;
}

template <class Body, class Gradient>
OpDef of_two(std::string name, std::string doc, std::string a, std::string b, Body body, Gradient gradient) {
  OpDef def = elementwise(std::move(name), std::move(doc), {{std::move(a), Accepts::floating}, {std::move(b), Accepts::floating}}, {}, body,
                          gradient);
  def.sample_low = 0.2, def.sample_high = 3, def.error_ulps = 8;
  return def;
}

/// `small` of a = |x| with the sign of x up to the limit, `large` of e^(a / 2) beyond, where e^a may overflow sooner than the result.
template <class Small, class Large>
Scalar by_exponential(Scalar x, Small small, Large large) {
  const Scalar a = abs(x);
  return select(a < 40.0, small(a), large(exp(a * 0.5)));
}

Scalar sinh(Scalar x) {
  const Scalar y = by_exponential(
      x,
      [](Scalar a) {
        const Scalar e = expm1(a);
        return (e + e / (e + 1.0)) * 0.5;
      },
      [](Scalar h) { return h * 0.5 * h; });
  return select(x < 0.0, -y, select(x == 0.0, x, y));
}

Scalar cosh(Scalar x) {
  return by_exponential(
      x,
      [](Scalar a) {
        const Scalar e = exp(a);
        return (e + 1.0 / e) * 0.5;
      },
      [](Scalar h) { return h * 0.5 * h; });
}

/// log(x + sqrt(x^2 - 1)) as log1p(t + sqrt(t (t + 2))) with t = x - 1; log(2 x) where x^2 is all that counts.
Scalar acosh(Scalar x) {
  const Scalar t = select(x < 1.0, x.like(std::numeric_limits<double>::quiet_NaN()), x - 1.0);
  const Scalar near = log1p(t + sqrt(t * (t + 2.0)));
  return select(x.like(0x1p30) < x, log(x) + std::numbers::ln2, near);
}

/// Is x below zero, or -0?
Scalar is_negative(Scalar x) { return (x < 0.0) | ((x == 0.0) & (1.0 / x < 0.0)); }

/// The angle in the first eighth of the plane, then mirrored to where (x, y) lies.
Scalar atan2(Scalar y, Scalar x) {
  const Scalar a = abs(x), b = abs(y), steep = a < b;
  const Scalar less = select(steep, a, b), more = select(steep, b, a);
  const Scalar same = less == more;  // 0 / 0 and inf / inf are nan
  const Scalar ratio = select(same, select(more == 0.0, more, more.like(1)), less / more);
  const Scalar eighth = atan(ratio);
  const Scalar quarter = select(steep, std::numbers::pi / 2 - eighth, eighth);
  const Scalar half = select(is_negative(x), std::numbers::pi - quarter, quarter);
  return select((x != x) | (y != y), x + y, select(is_negative(y), -half, half));
}

Scalar hypot(Scalar x, Scalar y) {
  const Scalar a = abs(x), b = abs(y), less = select(a < b, a, b), more = select(a < b, b, a);
  const Scalar ratio = select(more == 0.0, more, less / more);
  const Scalar any = select((a != a) | (b != b), a + b, more * sqrt(1.0 + ratio * ratio));
  return select((a == infinity) | (b == infinity), a.like(infinity), any);
}

void define_angles(Registry& r) {
  r.add(function(
      "tan", "Tangent of x in radians", -1.4, 1.4, 8, [](Scalar x) { return sin(x) / cos(x); },
      [](Expr g, Expr, Expr y) { return g * (1.0 + y * y); }));
  r.add(function(
      "asin", "Inverse sine of x; nan outside of [-1, 1]", -0.95, 0.95, 8, [](Scalar x) { return atan(x / sqrt((1.0 - x) * (1.0 + x))); },
      [](Expr g, Expr x, Expr) { return g * (1.0 - x * x).apply("rsqrt"); }));
  r.add(function(
      "acos", "Inverse cosine of x; nan outside of [-1, 1]", -0.95, 0.95, 8,
      [](Scalar x) { return atan(sqrt((1.0 - x) / (1.0 + x))) * 2.0; },
      [](Expr g, Expr x, Expr) { return -g * (1.0 - x * x).apply("rsqrt"); }));
  r.add(function("atan", "Inverse tangent of x", -4, 4, 4, atan, [](Expr g, Expr x, Expr) { return g / (x * x + 1.0); }));
  r.add(of_two("atan2", "The angle of the point (x, y), from -pi to pi, of signed zeros and infinities as in C", "y", "x", atan2,
               [](Expr g, Expr y, Expr x, Expr) {
                 const Expr square = x * x + y * y;
                 return std::pair{g * (x / square), g * (-y / square)};
               }));
  r.add(of_two("hypot", "sqrt(a^2 + b^2), which does not overflow where it is finite; inf if either is infinite", "a", "b", hypot,
               [](Expr g, Expr a, Expr b, Expr y) { return std::pair{g * (a / y), g * (b / y)}; }));
}

}  // namespace

void define_trigonometric_ops(Registry& r) {
  define_angles(r);
  r.add(function("sinh", "Hyperbolic sine of x", -3, 3, 8, sinh, [](Expr g, Expr x, Expr) { return g * x.apply("cosh"); }));
  r.add(function("cosh", "Hyperbolic cosine of x", -3, 3, 8, cosh, [](Expr g, Expr x, Expr) { return g * x.apply("sinh"); }));
  r.add(function("acosh", "Inverse hyperbolic cosine of x; nan below 1", 1.1, 4, 8, acosh,
                 [](Expr g, Expr x, Expr) { return g * (x * x - 1.0).apply("rsqrt"); }));
  r.add(function(
      "atanh", "Inverse hyperbolic tangent of x; infinite at -1 and 1, nan beyond", -0.9, 0.9, 8,
      [](Scalar x) { return (log1p(x) - log1p(-x)) * 0.5; }, [](Expr g, Expr x, Expr) { return g / (1.0 - x * x); }));
}

}  // namespace weft::ir
