// Elementwise functions of the tensor language that are made of several ops.

#include <cmath>
#include <limits>

#include "weft/frontend/language/ops.h"
#include "weft/frontend/language/recorder.h"
#include "weft/support/conversion.h"

namespace weft {
namespace {

using detail::Recorder;
using ir::Expr;
using ir::Value;

constexpr double infinity = std::numeric_limits<double>::infinity();

/// `of` x where it is floating, else what holds of all integers.
template <class F>
Tensor classified(std::string_view op, const Arg& x, bool of_integers, F of) {
  Recorder r(op, {&x});
  const Value v = r.value(x);
  if (!is_floating(v.dtype())) return r.tensor(r.builder.splat({boolean, v.shape()}, of_integers));
  return r.tensor(of(Expr(r.builder, v)));
}

/// x + value of(a, b), for of(a, b) of their common type.
template <class F>
Tensor added(std::string_view op, const Arg& x, const Arg& a, const Arg& b, double value, bool floating, F of) {
  Recorder r(op, {&x, &a, &b});
  const DType dtype = floating ? r.floating_dtype() : r.common_dtype();
  if (!is_floating(dtype) && value != std::trunc(value)) r.fail(fmt::format("of integers, the value must be one too, not {}", value));
  if (dtype == boolean) r.fail("the operands must be numbers, but are bools; cast them");
  const Shape shape = r.common_shape();
  const auto operand = [&](const Arg& arg) { return Expr(r.builder, r.value(arg, dtype, shape)); };
  const Expr base = operand(x), with = operand(a), term = of(with, operand(b));
  return r.tensor(base + (value == 1 ? term : term * value));
}

}  // namespace

Tensor masked_fill(Arg x, Arg mask, Arg value) {
  Recorder r("masked_fill", {&x, &mask, &value});
  const Value v = r.value(x), m = r.value(mask), filled = r.value(value);
  if (m.dtype() != boolean) r.fail("the mask must be bool");
  if (filled.shape().rank() > 0) r.fail("the value must be a number or a scalar tensor");
  if (is_floating(filled.dtype()) && !is_floating(v.dtype())) r.fail("a floating value does not fit into x; cast x");
  Shape shape;
  if (!broadcast_shapes(v.shape(), m.shape(), shape)) r.fail("the shapes of x and the mask do not broadcast");
  const Value with = r.value(value, v.dtype(), shape);
  return r("select", {r.builder.broadcast(m, shape), with, r.builder.broadcast(v, shape)});
}

Tensor lerp(Arg start, Arg end, Arg weight) {
  Recorder r("lerp", {&start, &end, &weight});
  const DType dtype = r.common_dtype();
  if (!is_floating(dtype)) r.fail("the operands must be floating");
  const Shape shape = r.common_shape();
  const auto operand = [&](const Arg& arg) { return Expr(r.builder, r.value(arg, dtype, shape)); };
  const Expr a = operand(start), b = operand(end), w = operand(weight), whole = b - a;
  const Expr near = a + w * whole, far = b - whole * (1.0 - w);
  if (const Arg::Number* number = weight.number()) return r.tensor(std::abs(number->real) < 0.5 ? near : far);
  return r.tensor(select(w.apply("abs") < 0.5, near, far));
}

Tensor addcmul(Arg x, Arg a, Arg b, double value) {
  return added("addcmul", x, a, b, value, false, [](Expr p, Expr q) { return p * q; });
}

Tensor addcdiv(Arg x, Arg a, Arg b, double value) {
  return added("addcdiv", x, a, b, value, true, [](Expr p, Expr q) { return p / q; });
}

Tensor frac(Arg x) {
  Recorder r("frac", {&x});
  const Expr v{r.builder, r.value(x)};
  if (!is_floating(v.value().dtype())) r.fail("x must be floating");
  return r.tensor(v - v.apply("trunc"));
}

Tensor isnan(Arg x) {
  return classified("isnan", x, false, [](Expr v) { return v.apply("is_nan"); });
}

Tensor isinf(Arg x) {
  return classified("isinf", x, false, [](Expr v) { return v.apply("abs") == infinity; });
}

Tensor isfinite(Arg x) {
  return classified("isfinite", x, true, [](Expr v) { return v.apply("abs") < v.like(infinity); });
}

Tensor nan_to_num(Arg x, double nan, std::optional<double> posinf, std::optional<double> neginf) {
  Recorder r("nan_to_num", {&x});
  const Expr v{r.builder, r.value(x)};
  const DType dtype = v.value().dtype();
  if (!is_floating(dtype)) return r.tensor(v);
  const Expr above = select(v == infinity, v.like(posinf.value_or(largest_of(dtype))), v);
  const Expr within = select(v == -infinity, v.like(neginf.value_or(-largest_of(dtype))), above);
  return r.tensor(select(v.apply("is_nan"), v.like(nan), within));
}

}  // namespace weft
