// Functions of the normal distribution beside erf. Semantics follow torch.<name>.

#include <iterator>
#include <limits>
#include <numbers>

#include "weft/ir/ops/families.h"

namespace weft::ir {
namespace {

/// e^(-a^2) Q((a - 3.75) / (a + 3.75)) / (1 + 2 a) for a from 1/2 on. Q is (1 + 2 a) e^(a^2) erfc(a) by Chebyshev interpolation up to
/// 28, within 2^-51; e^(-a^2) is given back what rounding takes from a^2.
Scalar far_erfc(Scalar a) {
  a = select(28.0 < a, a.like(28), a);
  const Scalar square = a * a, lost = fma(a, a, -square), t = (a - 3.75) / (a + 3.75);
  constexpr double coefficients[] = {1.368635054341385e-08,  -1.6845918591687168e-07, -4.573824100426152e-08, 1.648461350613322e-06,
                                     -9.813948983983811e-07, -1.1376114297766194e-05, 2.2387510947101785e-05, 5.162152816817937e-05,
                                     -0.0002901549322997473, 0.0002937206413355402,   0.001755625988653938,   -0.009746580638033747,
                                     0.028362277406448602,   -0.058693398493269405,   0.09230432116096914,    -0.10880393014612644,
                                     0.08227673849013402,    0.0035854154855417225,   -0.1402405985855469,    1.2375126308378273};
  Scalar q = t.like(coefficients[0]);
  for (size_t i = 1; i < std::size(coefficients); ++i) q = fma(q, t, t.like(coefficients[i]));
  return exp(-square) * (1.0 - lost) * (q / (1.0 + a * 2.0));
}

/// a - u / (1 + a u) with u = (erf(a) - to) / erf'(a): Halley's step, which cubes the error. Where `to` is near 1, `rest` = 1 - to.
Scalar refined(Scalar a, Scalar to, Scalar rest, Scalar is_near_zero) {
  const Scalar gap = select(is_near_zero, erf(a) - to, rest - far_erfc(a));
  const Scalar u = gap * (1 / (2 * std::numbers::inv_sqrtpi)) * exp(a * a);
  return a - u / (1.0 + a * u);
}

/// From a series near 0 and Winitzki's approximation (2008) elsewhere, both within 2e-3, by two steps.
Scalar erfinv(Scalar x) {
  constexpr double infinity = std::numeric_limits<double>::infinity(), pi = std::numbers::pi, c = 0.147;
  const Scalar a = abs(x), rest = 1.0 - a, is_near_zero = a < 0.6, s = a * a * pi;
  const Scalar series = a * (0.5 / std::numbers::inv_sqrtpi) * (1.0 + s * (1.0 / 12 + s * (7.0 / 480 + s * (127.0 / 40320))));
  const Scalar inner = select((a < 1.0) & (0.5 < a), rest * (1.0 + a), a.like(0.5));
  const Scalar l = log(inner), t = l * 0.5 + 2 / (pi * c);
  Scalar y = select(is_near_zero, series, sqrt(sqrt(t * t - l / c) - t));
  for (int step = 0; step < 2; ++step) y = refined(y, a, rest, is_near_zero);
  y = select(a < 1.0, y, select(a == 1.0, a.like(infinity), a.like(std::numeric_limits<double>::quiet_NaN())));
  return select(a == 0.0, x, select(x < 0.0, -y, y));
}

template <class Body, class Gradient>
OpDef function(std::string name, std::string doc, double low, double high, double ulps, Body body, Gradient gradient) {
  OpDef def = elementwise(std::move(name), std::move(doc), {{"x", Accepts::floating}}, {}, body, gradient);
  def.sample_low = low, def.sample_high = high, def.error_ulps = ulps;
  return def;
}

}  // namespace

void define_special_ops(Registry& r) {
  r.add(function(
      "erfc", "1 - erf(x), accurate where it is small", -2, 4, 8, [](Scalar x) { return select(x < 0.5, 1.0 - erf(x), far_erfc(x)); },
      [](Expr g, Expr x, Expr) { return g * (x * x * -1.0).apply("exp") * (-2 * std::numbers::inv_sqrtpi); }));
  r.add(function(
      "erfinv", "The number whose erf is x: infinite at -1 and 1, nan beyond", -0.9, 0.9, 8, [](Scalar x) { return erfinv(x); },
      [](Expr g, Expr, Expr y) { return g * (y * y).apply("exp") * (0.5 / std::numbers::inv_sqrtpi); }));
}

}  // namespace weft::ir
