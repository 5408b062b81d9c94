// Elementwise ops of the tensor language.

#include <limits>

#include "weft/frontend/language/custom_op.h"
#include "weft/frontend/language/dropout_rate.h"
#include "weft/frontend/language/ops.h"
#include "weft/frontend/language/recorder.h"
#include "weft/frontend/language/scope.h"
#include "weft/support/conversion.h"

namespace weft {
namespace {

using detail::Recorder;

/// An integer is its own floor.
Tensor rounding(std::string_view op, const Arg& x) {
  Recorder r(op, {&x});
  const ir::Value v = r.value(x);
  return is_integer(v.dtype()) ? r.tensor(v) : r(op, {v});
}

/// Between integer bounds, exactly. A bound that all numbers of the type keep means nothing; one that none can keep is an error.
Tensor clamped_integers(Recorder& r, ir::Value v, const std::optional<Arg>& min, const std::optional<Arg>& max) {
  const auto [least, most] = range_of(v.dtype());
  const auto bounded = [&](const Arg& bound, std::string_view op) { v = r.builder(op, {v, r.value(bound, v.dtype(), v.shape())}); };
  const auto refuse = [&](const char* what, int64_t bound) {
    r.fail(fmt::format("no {} keeps the {} {}; cast x to a wider type", name_of(v.dtype()), what, bound));
  };
  if (min && min->number()->integer > most) refuse("lower bound", min->number()->integer);
  if (max && max->number()->integer < least) refuse("upper bound", max->number()->integer);
  if (min && min->number()->integer > least) bounded(*min, "maximum");
  if (max && max->number()->integer < most) bounded(*max, "minimum");
  return r.tensor(v);
}

/// Of bools an op of their own, as in PyTorch, which adds and multiplies them by "or" and "and".
Tensor combined(std::string_view op, std::string_view of_bools, const Arg& a, const Arg& b) {
  Recorder r(op, {&a, &b});
  if (r.common_dtype() != boolean) return call(op, {a, b});
  const Shape shape = r.common_shape();
  return r(of_bools, {r.value(a, boolean, shape), r.value(b, boolean, shape)});
}

/// v^n of integers by repeated squaring; it wraps as products do.
ir::Value power(Recorder& r, ir::Value v, int64_t n) {
  ir::Value result;
  for (; n > 0; n >>= 1) {
    if (n & 1) result = result ? r.builder("mul", {result, v}) : v;
    if (n > 1) v = r.builder("mul", {v, v});
  }
  return result ? result : r.builder.splat(v.type(), 1);
}

/// v^n of integers, element by element: of each bit of n the power that it stands for. To a negative power only 1 and -1 are no 0.
ir::Value power(Recorder& r, ir::Value v, ir::Value n) {
  const ir::Expr base{r.builder, v}, exponent{r.builder, n};
  const auto bit = [&](int k) { return exponent.apply("shift_right", exponent.like(k)).apply("and", exponent.like(1)) != 0.0; };
  const bool has_sign = v.dtype() != u8 && v.dtype() != u16 && v.dtype() != u32;
  ir::Expr result = base.like(1), square = base;
  for (int k = 0, bits = static_cast<int>(8 * size_of(v.dtype())) - has_sign; k < bits; ++k) {
    result = select(bit(k), result * square, result);
    square = square * square;
  }
  if (!has_sign) return result;
  const ir::Expr zero = base.like(0), of_minus_one = select(bit(0), base.like(-1), base.like(1));
  const ir::Expr negative = select(base == 1.0, base.like(1), select(base == -1.0, of_minus_one, zero));
  return select(exponent < 0.0, negative, result);
}

}  // namespace

Tensor operator+(Arg a, Arg b) { return combined("add", "or", a, b); }
Tensor operator-(Arg a, Arg b) { return call("sub", {a, b}); }
Tensor operator*(Arg a, Arg b) { return combined("mul", "and", a, b); }
Tensor operator-(Arg x) { return call("neg", {x}); }
Tensor operator==(Arg a, Arg b) { return call("eq", {a, b}); }
Tensor operator!=(Arg a, Arg b) { return call("ne", {a, b}); }
Tensor operator<(Arg a, Arg b) { return call("lt", {a, b}); }
Tensor operator<=(Arg a, Arg b) { return call("le", {a, b}); }
Tensor operator>(Arg a, Arg b) { return call("gt", {a, b}); }
Tensor operator>=(Arg a, Arg b) { return call("ge", {a, b}); }
Tensor pow(Arg base, Arg exponent) {
  Recorder r("pow", {&base, &exponent});
  const DType dtype = r.common_dtype();
  if (is_floating(dtype) || exponent.hyper()) return call("pow", {base, exponent});
  if (!exponent.number()) {
    if (dtype == boolean) r.fail("bools have no powers; cast them");
    const Shape shape = r.common_shape();
    const ir::Value v = r.value(base, dtype, shape);
    return r.tensor(power(r, v, r.value(exponent, dtype, shape)));
  }
  const int64_t n = exponent.number()->integer;
  if (n < 0) r.fail("integers have no negative powers; cast the base to a floating type");
  return r.tensor(power(r, r.value(base, dtype), n));
}
Tensor maximum(Arg a, Arg b) { return combined("maximum", "or", a, b); }
Tensor logaddexp(Arg a, Arg b) { return call("logaddexp", {a, b}); }
Tensor minimum(Arg a, Arg b) { return combined("minimum", "and", a, b); }
Tensor atan2(Arg y, Arg x) { return call("atan2", {y, x}); }
Tensor hypot(Arg a, Arg b) { return call("hypot", {a, b}); }

Tensor select(Arg condition, Arg a, Arg b) {
  const DType dtype = Recorder("select", {&a, &b}).common_dtype();
  Recorder r("select", {&condition, &a, &b});
  const Shape shape = r.common_shape();
  const ir::Value c = r.builder.broadcast(r.value(condition), shape);
  const ir::Value x = r.value(a, dtype, shape), y = r.value(b, dtype, shape);
  return r("select", {c, x, y});
}

Tensor where(Arg condition, Arg a, Arg b) { return select(std::move(condition), std::move(a), std::move(b)); }

Tensor cast(Arg x, DType dtype) {
  Recorder r("cast", {&x});
  return r.tensor(r.value(x, dtype));
}

Tensor exp(Arg x) { return call("exp", {x}); }
Tensor expm1(Arg x) { return call("expm1", {x}); }
Tensor log(Arg x) { return call("log", {x}); }
Tensor log1p(Arg x) { return call("log1p", {x}); }
Tensor log2(Arg x) { return call("log2", {x}); }
Tensor log10(Arg x) { return call("log10", {x}); }
Tensor exp2(Arg x) { return call("exp2", {x}); }
Tensor reciprocal(Arg x) { return call("reciprocal", {x}); }
Tensor sqrt(Arg x) { return call("sqrt", {x}); }
Tensor rsqrt(Arg x) { return call("rsqrt", {x}); }
Tensor sin(Arg x) { return call("sin", {x}); }
Tensor cos(Arg x) { return call("cos", {x}); }
Tensor tan(Arg x) { return call("tan", {x}); }
Tensor asin(Arg x) { return call("asin", {x}); }
Tensor acos(Arg x) { return call("acos", {x}); }
Tensor atan(Arg x) { return call("atan", {x}); }
Tensor sinh(Arg x) { return call("sinh", {x}); }
Tensor cosh(Arg x) { return call("cosh", {x}); }
Tensor tanh(Arg x) { return call("tanh", {x}); }
Tensor asinh(Arg x) { return call("asinh", {x}); }
Tensor acosh(Arg x) { return call("acosh", {x}); }
Tensor atanh(Arg x) { return call("atanh", {x}); }
Tensor erf(Arg x) { return call("erf", {x}); }
Tensor erfc(Arg x) { return call("erfc", {x}); }
Tensor erfinv(Arg x) { return call("erfinv", {x}); }
Tensor lgamma(Arg x) { return call("lgamma", {x}); }
Tensor digamma(Arg x) { return call("digamma", {x}); }
Tensor polygamma(int64_t n, Arg x) { return n == 0 ? digamma(x) : call("polygamma", {x}, {{"n", n}}); }
Tensor sigmoid(Arg x) { return call("sigmoid", {x}); }
Tensor gelu(Arg x, std::string approximate) { return call("gelu", {x}, {{"approximate", std::move(approximate)}}); }

Tensor abs(Arg x) { return call("abs", {x}); }
Tensor sign(Arg x) { return call("sign", {x}); }
Tensor floor(Arg x) { return rounding("floor", x); }
Tensor ceil(Arg x) { return rounding("ceil", x); }
Tensor round(Arg x) { return rounding("round", x); }
Tensor trunc(Arg x) { return rounding("trunc", x); }
Tensor square(Arg x) { return call("square", {x}); }
Tensor relu(Arg x) { return call("relu", {x}); }

Tensor clamp(Arg x, ClampBounds bounds) { return clamp(std::move(x), std::move(bounds.min), std::move(bounds.max)); }

Tensor clamp(Arg x, std::optional<Arg> min, std::optional<Arg> max) {
  Recorder r("clamp", {&x, detail::pointer(min), detail::pointer(max)});
  for (const std::optional<Arg>& bound : {min, max})
    if (bound && !bound->number()) r.fail("the bounds must be numbers; maximum and minimum take tensors");
  const DType dtype = r.common_dtype();
  if (dtype == boolean) r.fail("x must be a number, but is bool; cast it");
  if (!is_floating(dtype)) return clamped_integers(r, r.value(x, dtype), min, max);
  constexpr double infinity = std::numeric_limits<double>::infinity();
  return r("clamp", {r.value(x, dtype)}, {{"min", min ? min->number()->real : -infinity}, {"max", max ? max->number()->real : infinity}});
}
Tensor detach(Arg x) { return call("detach", {x}); }

Tensor dropout(Arg x, double p, bool training) {
  Recorder r("dropout", {&x});
  if (!(p >= 0 && p <= 1)) r.fail(fmt::format("p must lie in [0, 1], not be {}", p));
  const ir::Value v = r.value(x);
  if (p == 0 || !training) return r.tensor(v);
  const ir::Value key = r.recording().key(r.where()), rate = r.builder.splat({f64, {}}, p);
  return r("dropout", {v, key, rate}, {{"site", r.recording().next_site()}});
}

Tensor detail::dropout_at_rate(const Arg& x, const Hyper& p) {
  Recorder r("dropout", {&x});
  const ir::Value v = r.value(x);
  if (p == 0) {
    r.recording().outermost().bindings.off.push_back({p, fmt::format("no dropout was recorded at {}", to_string(r.where()))});
    return r.tensor(v);
  }
  const std::string path = Scope::path();
  const ir::Value key = r.recording().key(r.where());
  const ir::Value rate = r.recording().hyper(p, (path.empty() ? "dropout" : path) + ".p", r.where());
  return r("dropout", {v, key, rate}, {{"site", r.recording().next_site()}});
}

}  // namespace weft
