// Ops of the tensor language that take no operands, or of one nothing but its type.

#include <algorithm>
#include <cmath>

#include "weft/frontend/language/ops.h"
#include "weft/frontend/language/recorder.h"
#include "weft/support/conversion.h"

namespace weft {
namespace {

using detail::Recorder;

using ir::Expr;
using ir::Value;

Value random_bits(Recorder& r, const Shape& shape) {
  return r.builder("random_bits", {r.recording().key(r.where())}, {{"shape", shape.dims()}, {"site", r.recording().next_site()}});
}

Value random(Recorder& r, std::string_view op, const Shape& shape, DType dtype) {
  return r.builder(op, {r.recording().key(r.where())}, {{"shape", shape.dims()}, {"site", r.recording().next_site()}, {"dtype", dtype}});
}

Tensor like(std::string_view what, std::string_view op, const Arg& x, std::optional<DType> dtype) {
  Recorder r(what, {&x});
  const Value v = r.value(x);
  const DType type = dtype.value_or(v.dtype());
  if (!is_floating(type)) r.fail(fmt::format("the element type must be floating, not {}", name_of(type)));
  return r.tensor(random(r, op, v.shape(), type));
}

/// The type must hold these integers; a floating one may round them.
void require_holds(const Recorder& r, DType dtype, int64_t least, int64_t largest) {
  const auto finite = is_floating(dtype) ? static_cast<int64_t>(std::min(largest_of(dtype), 0x1p62)) : 0;
  const auto [low, high] = is_floating(dtype) ? std::pair(-finite, finite) : range_of(dtype);
  if (least < low || largest > high)
    r.fail(fmt::format("{} holds the integers from {} to {}, but there are {} to {}", name_of(dtype), low, high, least, largest));
}

/// A negative number wraps into a type without them, as in PyTorch.
Tensor filled(Recorder& r, const Arg& value, DType dtype, const Shape& shape) {
  const Arg::Number* number = value.number();
  if (!number) r.fail("the value must be a number");
  if (number->category == i64 && is_integer(dtype))
    require_holds(r, dtype, is_unsigned(dtype) ? std::max<int64_t>(number->integer, 0) : number->integer, number->integer);
  return r.tensor(r.value(value, dtype, shape));
}

/// start + step i, computed in f64.
Tensor steps_from(Recorder& r, double start, double step, int64_t count, DType dtype) {
  const Value index = r.builder("iota", {}, {{"shape", Dims{count}}, {"axis", int64_t{0}}});
  return r.tensor(r.builder.cast(Expr(r.builder, r.builder.cast(index, f64)) * step + start, dtype));
}

/// ceil((end - start) / step) of integers.
int64_t integers_between(int64_t start, int64_t end, int64_t step) {
  const auto distance =
      step > 0 ? static_cast<uint64_t>(end) - static_cast<uint64_t>(start) : static_cast<uint64_t>(start) - static_cast<uint64_t>(end);
  const uint64_t by = step > 0 ? static_cast<uint64_t>(step) : 0 - static_cast<uint64_t>(step);
  return distance == 0 ? 0 : static_cast<int64_t>((distance - 1) / by + 1);
}

Tensor random(std::string_view op, const Shape& shape, DType dtype, std::source_location at) {
  Recorder r(op, at);
  return r.tensor(random(r, op, shape, dtype));
}

}  // namespace

Tensor full(Shape shape, Arg value, DType dtype, std::source_location at) {
  Recorder r("full", at);
  return filled(r, value, dtype, shape);
}
Tensor zeros(Shape shape, DType dtype, std::source_location at) { return full(std::move(shape), 0, dtype, at); }
Tensor ones(Shape shape, DType dtype, std::source_location at) { return full(std::move(shape), 1, dtype, at); }

Tensor full_like(Arg x, Arg value, std::optional<DType> dtype) {
  Recorder r("full_like", {&x});
  const Value v = r.value(x);
  return filled(r, value, dtype.value_or(v.dtype()), v.shape());
}
Tensor zeros_like(Arg x, std::optional<DType> dtype) { return full_like(std::move(x), 0, dtype); }
Tensor ones_like(Arg x, std::optional<DType> dtype) { return full_like(std::move(x), 1, dtype); }
Tensor rand_like(Arg x, std::optional<DType> dtype) { return like("rand_like", "random_uniform", x, dtype); }
Tensor randn_like(Arg x, std::optional<DType> dtype) { return like("randn_like", "random_normal", x, dtype); }

Tensor eye(int64_t n, std::optional<int64_t> columns, DType dtype, std::source_location at) {
  Recorder r("eye", at);
  const Dims shape{n, columns.value_or(n)};
  if (n < 0 || shape[1] < 0) r.fail(fmt::format("the extents {} must not be negative", to_string(shape)));
  const auto number = [&](int64_t axis) { return r.builder("iota", {}, {{"shape", shape}, {"axis", axis}}); };
  return r.tensor(r.builder.cast(r.builder("eq", {number(0), number(1)}), dtype));
}

Tensor linspace(double start, double end, int64_t steps, DType dtype, std::source_location at) {
  Recorder r("linspace", at);
  if (steps < 0) r.fail(fmt::format("the number of steps must not be negative, but is {}", steps));
  if (dtype == boolean) r.fail("the element type must be a number, not bool");
  if (is_integer(dtype)) {
    if (!(std::abs(start) < 0x1p62 && std::abs(end) < 0x1p62)) r.fail("of integers, start and end must be below 2^62");
    start = std::trunc(start), end = std::trunc(end);
    require_holds(r, dtype, static_cast<int64_t>(std::min(start, end)), static_cast<int64_t>(std::max(start, end)));
  }
  if (steps < 2) return r.tensor(r.builder.splat({dtype, {steps}}, start));
  // From the nearer end, so that both ends are exact.
  const Expr i{r.builder, r.builder.cast(r.builder("iota", {}, {{"shape", Dims{steps}}, {"axis", int64_t{0}}}), f64)};
  const auto last = static_cast<double>(steps - 1);
  const double step = (end - start) / last;
  const Expr from_start = i * step + start, from_end = end - (last - i) * step;
  return r.tensor(r.builder.cast(select(i < static_cast<double>(steps / 2), from_start, from_end), dtype));
}

Tensor iota(Shape shape, int64_t axis, std::source_location at) {
  Recorder r("iota", at);
  return r("iota", {}, {{"shape", shape.dims()}, {"axis", r.axis(axis, shape.rank())}});
}
Tensor arange(int64_t n, std::source_location at) {
  const Recorder r("arange", at);
  return iota(r.shape({n}), 0, at);
}

Tensor arange(Arg start, Arg end, Arg step, std::optional<DType> dtype) {
  Recorder r("arange", {&start, &end, &step});
  bool integers = true;
  for (const Arg* arg : {&start, &end, &step}) {
    if (!arg->number()) r.fail("start, end and step must be numbers");
    integers = integers && arg->number()->category == i64;
  }
  const double from = start.number()->real, to = end.number()->real, by = step.number()->real;
  const bool sound = std::isfinite(from) && std::isfinite(to) && std::isfinite(by) && by != 0;
  if (!sound || (to - from) * (by > 0 ? 1 : -1) < 0) r.fail("the step must lead from start to end, and all must be finite");
  const double steps = std::ceil((to - from) / by);
  if (!(steps < 0x1p62)) r.fail(fmt::format("there are {} steps, more than 2^62", steps));
  if (!integers) return steps_from(r, from, by, static_cast<int64_t>(steps), dtype.value_or(default_dtype()));
  const int64_t first = start.number()->integer, each = step.number()->integer;
  const int64_t count = integers_between(first, end.number()->integer, each);
  Value v = r.builder("iota", {}, {{"shape", Dims{count}}, {"axis", int64_t{0}}});
  const auto number = [&](int64_t n) { return r.builder("constant", {}, {{"value", ir::Dense::splat_integer(v.type(), n)}}); };
  if (each != 1) v = r.builder("mul", {v, number(each)});
  if (first != 0) v = r.builder("add", {v, number(first)});
  return r.tensor(r.builder.cast(v, dtype.value_or(i64)));
}

Tensor constant(const Array& values, std::source_location at) {
  Recorder r("constant", at);
  const std::vector<std::byte> bytes(values.data(), values.data() + values.bytes());
  return r("constant", {}, {{"value", ir::Dense({values.dtype(), values.shape()}, bytes)}});
}

Tensor random_uniform(Shape shape, DType dtype, std::source_location at) { return random("random_uniform", shape, dtype, at); }
Tensor random_normal(Shape shape, DType dtype, std::source_location at) { return random("random_normal", shape, dtype, at); }

Tensor randint(int64_t low, int64_t high, Shape shape, DType dtype, std::source_location at) {
  Recorder r("randint", at);
  const uint64_t count = static_cast<uint64_t>(high) - static_cast<uint64_t>(low);
  if (low >= high || count > uint64_t{1} << 31) r.fail(fmt::format("from {} up to {} there must be 1 to 2^31 integers", low, high));
  require_holds(r, dtype, low, high - 1);
  // 32 random bits as a fraction of 2^32, times as many as there are.
  const Value drawn = r.builder.cast(random_bits(r, shape), i64);
  const auto number = [&](int64_t n) { return r.builder("constant", {}, {{"value", ir::Dense::splat_integer(drawn.type(), n)}}); };
  const Value fraction = r.builder("and", {drawn, number(0xffffffff)});
  const Value part = r.builder("shift_right", {r.builder("mul", {fraction, number(static_cast<int64_t>(count))}), number(32)});
  return r.tensor(r.builder.cast(r.builder("add", {part, number(low)}), dtype));
}

Tensor bernoulli(Arg x) {
  Recorder r("bernoulli", {&x});
  const Value p = r.value(x);
  if (!is_floating(p.dtype())) r.fail("the probabilities must be floating");
  return r("bernoulli", {p, r.recording().key(r.where())}, {{"site", r.recording().next_site()}});
}

}  // namespace weft
