// The logarithm of the gamma function and its derivatives. Semantics follow torch.<name>. They are computed in f64 whatever the type:
// near their zeros and poles an argument of f32 leaves no digits to spare.

#include <cmath>
#include <initializer_list>
#include <limits>
#include <numbers>

#include "weft/ir/ops/families.h"

namespace weft::ir {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
constexpr double pi = std::numbers::pi;
/// Series in 1 / x of the logarithm and its derivative hold from here on.
constexpr int far = 8;
constexpr int64_t most_derivatives = 10;

/// Coefficients from the highest power down.
template <class Coefficients>
Scalar polynomial(Scalar t, const Coefficients& coefficients) {
  auto next = std::begin(coefficients);
  Scalar q = t.like(*next++);
  while (next != std::end(coefficients)) q = fma(q, t, t.like(*next++));
  return q;
}

/// sin(pi r) for |r| up to 1/2, by Chebyshev interpolation in r^2, within 2^-53.
Scalar sine_of_pi(Scalar r) {
  return r * polynomial(r * r, std::initializer_list<double>{7.697826768224191e-07, -2.1903497074626018e-05, 0.0004662998161898394,
                                                             -0.007370430505916944, 0.0821458865731029, -0.5992645293189447,
                                                             2.5501640398773007, -5.167712780049969, pi});
}

/// How far x lies from the nearest integer.
Scalar beyond_integer(Scalar x) { return x - round(x); }
/// cot(pi r) for |r| up to 1/2.
Scalar cotangent_of_pi(Scalar r) { return sine_of_pi(0.5 - abs(r)) / sine_of_pi(r); }

/// log(gamma(2 + t)) for |t| up to 1/2: t times its quotient by t, by Chebyshev interpolation, within 2^-53.
Scalar log_gamma_near_two(Scalar t) {
  return t * polynomial(t, std::initializer_list<double>{
                               -1.3219945666117874e-07, 2.78740805211359e-07, -4.3252393445604814e-07, 9.200527894968101e-07,
                               -2.0439048107029907e-06, 4.38470440459836e-06, -9.438715099211532e-06, 2.0505590755833454e-05,
                               -4.49263133791557e-05, 9.945767355819498e-05, -0.00022315475400520507, 0.0005096695154115458,
                               -0.0011927539118428156, 0.002890510331034267, -0.0073855510286719986, 0.02058080842778038,
                               -0.0673523010531981, 0.32246703342411326, 0.42278433509846713});
}

/// Of x above -1/2. Between 3/2 and 8, x is brought near 2 by factors; below, by x (x + 1) or x; from 8 on Stirling's series holds.
Scalar log_gamma_above(Scalar x) {
  Scalar z = x, factors = x.like(1);
  for (int step = 0; step < far - 2; ++step) {
    const Scalar less = z - 1.0, is_over = z.like(2.5) <= z;
    factors = select(is_over, factors * less, factors);
    z = select(is_over, less, z);
  }
  const Scalar is_above = x.like(1.5) <= x, is_middle = x.like(0.5) <= x, is_far = ~(x < double{far});
  const Scalar t = select(is_above, z - 2.0, select(is_middle, x - 1.0, x));
  const Scalar under = select(is_middle, x, abs(x) * (1.0 + x));
  const Scalar l = log(select(is_far, x, select(is_above, factors, under)));
  const Scalar near = log_gamma_near_two(t) + select(is_above, l, -l);
  const Scalar u = 1.0 / x;
  const Scalar series = u * polynomial(u * u, std::initializer_list<double>{-3617.0 / 122400, 1.0 / 156, -691.0 / 360360, 1.0 / 1188,
                                                                            -1.0 / 1680, 1.0 / 1260, -1.0 / 360, 1.0 / 12});
  return select(is_far, (x - 0.5) * (l - 1.0) + (std::log(2 * pi) / 2 - 0.5) + series, near);
}

/// Below -1/2 by the reflection gamma(x) gamma(-x) = -pi / (x sin(pi x)).
Scalar log_gamma(Scalar x) {
  const Scalar a = abs(x), is_reflected = x < -0.5, r = beyond_integer(x);
  const Scalar above = log_gamma_above(select(is_reflected, a, x));
  const Scalar below = log(pi / (a * abs(sine_of_pi(r)))) - above;
  const Scalar is_pole = (r == 0.0) | (a == infinity);
  return select(is_reflected, select(is_pole, x.like(infinity), below), above);
}

/// Of positive x, as log(z) less a series where z, by whole steps above x, is 8 or more, less the sum of 1 / x to 1 / (z - 1).
Scalar digamma_above(Scalar x) {
  Scalar z = x, numerator = x.like(0), denominator = x.like(1);
  for (int step = 0; step < far; ++step) {
    const Scalar is_near = z < double{far};
    numerator = select(is_near, fma(numerator, z, denominator), numerator);
    denominator = select(is_near, denominator * z, denominator);
    z = select(is_near, z + 1.0, z);
  }
  const Scalar u = 1.0 / z, w = u * u;
  const Scalar series = w * polynomial(w, std::initializer_list<double>{43867.0 / 14364, -3617.0 / 8160, 1.0 / 12, -691.0 / 32760,
                                                                        1.0 / 132, -1.0 / 240, 1.0 / 252, -1.0 / 120, 1.0 / 12});
  return log(z) - u * 0.5 - series - numerator / denominator;
}

/// Below 0 it is that of 1 - x less pi cot(pi x). At 0 infinite, of the other sign than 0's; nan at other poles.
Scalar digamma(Scalar x) {
  const Scalar is_reflected = x < 0.0, r = beyond_integer(x);
  const Scalar above = digamma_above(select(is_reflected, 1.0 - x, x));
  const Scalar below = select(r == 0.0, x.like(nan), above - cotangent_of_pi(r) * pi);
  return select(x == 0.0, -1.0 / x, select(is_reflected, below, above));
}

Scalar power(Scalar x, int64_t exponent) {
  if (exponent == 1) return x;
  const Scalar half = power(x, exponent / 2), even = half * half;
  return exponent % 2 == 0 ? even : even * x;
}

double factorial(int64_t n) { return n <= 1 ? 1 : static_cast<double>(n) * factorial(n - 1); }

/// (-1)^(n + 1) times the n-th derivative of digamma, at positive x: n! times the sum of 1 / (x + k)^(n + 1), the first ones one by one,
/// the others by Euler's and Maclaurin's series.
Scalar polygamma_above(Scalar x, int64_t n) {
  const auto begin = static_cast<double>(far + n);
  Scalar z = x, sum = x.like(0);
  for (int64_t step = 0; step < far + n; ++step) {
    const Scalar is_near = z < begin;
    sum = select(is_near, sum + power(1.0 / z, n + 1), sum);
    z = select(is_near, z + 1.0, z);
  }
  constexpr double bernoulli[] = {-174611.0 / 330, 43867.0 / 798, -3617.0 / 510, 7.0 / 6,   -691.0 / 2730,
                                  5.0 / 66,        -1.0 / 30,     1.0 / 42,      -1.0 / 30, 1.0 / 6};
  std::vector<double> coefficients;
  int64_t order = 2 * std::ssize(bernoulli);
  for (const double b : bernoulli) {
    coefficients.push_back(b * factorial(order + n - 1) / factorial(order));
    order -= 2;
  }
  const Scalar u = 1.0 / z;
  const Scalar tail = u * (factorial(n) / 2 + u * polynomial(u * u, coefficients)) + factorial(n - 1);
  return sum * factorial(n) + power(u, n) * tail;
}

/// The n-th derivative of cot(x) as a polynomial in cot(x), from the highest power down: that of c is -(1 + c^2).
std::vector<double> derivative_of_cotangent(int64_t n) {
  std::vector<double> p{0, 1};
  for (int64_t i = 0; i < n; ++i) {
    std::vector<double> next(p.size() + 1, 0);
    for (size_t k = 1; k < p.size(); ++k) next[k - 1] -= static_cast<double>(k) * p[k], next[k + 1] -= static_cast<double>(k) * p[k];
    p = std::move(next);
  }
  return {p.rbegin(), p.rend()};
}

/// Below 0 by the derivative of digamma's reflection; at poles infinite, of the sign that it has right of them.
Scalar polygamma(Scalar x, int64_t n) {
  const double sign = n % 2 == 1 ? 1 : -1;
  const Scalar is_reflected = x < 0.0, r = beyond_integer(x);
  const Scalar above = polygamma_above(select(is_reflected, 1.0 - x, abs(x)), n);
  const Scalar cotangent = polynomial(cotangent_of_pi(r), derivative_of_cotangent(n)) * std::pow(pi, static_cast<double>(n + 1));
  const Scalar below = select(r == 0.0, x.like(sign * infinity), -cotangent - above);
  return select(is_reflected, below, above * sign);
}

/// In f64, and back.
template <class Body>
Scalar in_double(Scalar x, Body body) {
  return cast(body(cast(x, f64)), x.dtype());
}

template <class Body, class Gradient>
OpDef function(std::string name, std::string doc, std::vector<AttributeSpec> attributes, Body body, Gradient gradient) {
  OpDef def = elementwise(std::move(name), std::move(doc), {{"x", Accepts::floating}}, std::move(attributes), body, gradient);
  def.sample_low = 0.3, def.sample_high = 9.5, def.error_ulps = 16;
  def.autocast = Autocast::wide;
  return def;
}

}  // namespace

void define_gamma_ops(Registry& r) {
  r.add(function(
      "lgamma", "Logarithm of the absolute value of gamma(x); infinite at 0 and negative integers", {},
      [](Scalar x) { return in_double(x, log_gamma); }, [](Expr g, Expr x, Expr) { return g * x.apply("digamma"); }));
  r.add(function(
      "digamma", "The derivative of lgamma(x); at -0 inf, at 0 -inf, nan at negative integers", {},
      [](Scalar x) { return in_double(x, digamma); }, [](Expr g, Expr x, Expr) { return g * x.apply("polygamma", {{"n", int64_t{1}}}); }));
  OpDef polygamma_op = function(
      "polygamma", "The n-th derivative of digamma(x); infinite at 0 and negative integers",
      {required_attribute("n", AttributeKind::integer, "1 to 10")},
      [](Scalar x, const AttributeView& a) { return in_double(x, [&](Scalar wide) { return polygamma(wide, a.integer("n")); }); },
      [](GradientContext& c) -> std::vector<Value> {
        const int64_t n = c.op.integer("n");
        if (n == most_derivatives)
          throw Error("polygamma({}, x) has no gradient: there is no polygamma of more than {}", n, most_derivatives)
              .at(to_string(c.op.locations()));
        return {Expr(c.builder, c.result_gradients[0]) * Expr(c.builder, c.op.operand(0)).apply("polygamma", {{"n", n + 1}})};
      });
  polygamma_op.infer = [](const InferContext& c) -> std::vector<Type> {
    const int64_t n = c.get<int64_t>("n");
    c.require(n >= 1 && n <= most_derivatives, fmt::format("n must be 1 to {}, not {}", most_derivatives, n));
    return {c.operand(0)};
  };
  r.add(std::move(polygamma_op));
}

}  // namespace weft::ir
