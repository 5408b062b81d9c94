// Reductions of the tensor language.

#include <limits>

#include "weft/frontend/language/norm_of.h"
#include "weft/frontend/language/ops.h"
#include "weft/frontend/language/recorder.h"
#include "weft/ir/ops/movements.h"

namespace weft {
namespace {

using detail::Recorder;
using ir::Expr;
using ir::Value;

constexpr double infinity = std::numeric_limits<double>::infinity();

Tensor reduce(Recorder& r, std::string_view op, Value v, const Axes& axes, bool keep_dims) {
  const Dims over = r.axes(axes, v.shape().rank());
  if (over.empty()) return r.tensor(v);
  return r(op, {v}, {{"axes", over}, {"keep_dims", keep_dims}});
}

Tensor reduce(std::string_view op, const Arg& x, const Axes& axes, bool keep_dims) {
  Recorder r(op, {&x});
  return reduce(r, op, r.value(x), axes, keep_dims);
}

Tensor along(std::string_view op, const Arg& x, int64_t axis) {
  Recorder r(op, {&x});
  const Value given = r.value(x);
  Value v = given;
  const int64_t axis_of_v = r.axis_of(v, axis);
  return r.tensor(r.builder.reshape(r.builder(op, {v}, {{"axis", axis_of_v}}), given.shape()));
}

/// Sums and products of integers and bools are i64.
Value accumulated(Recorder& r, Value v) { return is_floating(v.dtype()) ? v : r.builder.cast(v, i64); }

/// How many are true.
Value count(Recorder& r, Value flags, const Axes& axes, bool keep_dims) {
  const Dims over = r.axes(axes, flags.shape().rank());
  return r.builder.sum(r.builder.cast(flags, i64), over, keep_dims);
}

Value index_of_largest(Recorder& r, Value v, std::optional<int64_t> axis, bool keep_dims) {
  if (v.dtype() == boolean) r.fail("x must be a number, but is bool; cast it");
  const bool is_scalar = v.shape().rank() == 0;
  if (!axis) v = r.builder.reshape(v, Shape{v.shape().numel()});
  const int64_t along = r.axis_of(v, axis.value_or(0));
  if (v.shape()[static_cast<int>(along)] == 0) r.fail("an empty axis has no extreme");
  return r.builder("argmax", {v}, {{"axis", along}, {"keep_dims", axis && keep_dims && !is_scalar}});
}

/// A bool as a number, which has an order.
Value as_number(Recorder& r, Value v) { return v.dtype() == boolean ? r.builder.cast(v, u8) : v; }

/// The extreme of numbers or bools.
Tensor extreme(std::string_view op, const Arg& x, const Axes& axes, bool keep_dims) {
  Recorder r(op, {&x});
  const Value v = r.value(x);
  return r.tensor(r.builder.cast(reduce(r, op, as_number(r, v), axes, keep_dims).value(), v.dtype()));
}

/// The answer of `any` or `all`: a bool, but of u8 one of those, as in PyTorch.
Tensor answered(Recorder& r, Value given, Value answer) { return r.tensor(r.builder.cast(answer, given.dtype() == u8 ? u8 : boolean)); }

/// In reverse order: the least element becomes the largest. -x of the least integer would be that integer again.
Value reversed(Recorder& r, Value v) { return r.builder(is_floating(v.dtype()) ? "neg" : "not", {v}); }

/// The extremes along an axis and where they are: the elements at the index of the largest of `ordered`, as a sum in which all others are
/// 0: it fuses with what finds the index.
ValuesAndIndices picked(Recorder& r, Value v, Value ordered, int64_t axis, bool keep_dims) {
  keep_dims = keep_dims && v.shape().rank() > 0;
  const int64_t along = r.axis_of(v, axis);
  const Value index = index_of_largest(r, r.builder.reshape(ordered, v.shape()), along, true);
  const Value number = r.builder("iota", {}, {{"shape", v.shape().dims()}, {"axis", along}});
  const Value here = r.builder("eq", {number, r.builder.broadcast(index, v.shape())});
  const DType dtype = v.dtype();
  v = as_number(r, v);
  const Value values = r.builder.cast(r.builder.sum(r.builder("select", {here, v, r.builder.zeros_like(v)}), {along}, keep_dims), dtype);
  return {r.tensor(values), r.tensor(r.builder.reshape(index, values.shape()))};
}

Tensor running(std::string_view what, std::string_view op, double neutral, const Arg& x, int64_t axis) {
  Recorder r(what, {&x});
  const Value given = r.value(x);
  Value v = accumulated(r, given);
  const auto along = static_cast<int>(r.axis_of(v, axis));
  // bf16 is rounded once.
  const Value wide = r.builder.cast(v, computed_in(v.dtype()));
  const Value all = r.builder.cast(ir::scan(r.builder, wide, along, op, neutral), v.dtype());
  return r.tensor(r.builder.reshape(all, given.shape()));
}

}  // namespace

Tensor sum(Arg x, Axes axes, bool keep_dims) {
  Recorder r("sum", {&x});
  return reduce(r, "sum", accumulated(r, r.value(x)), axes, keep_dims);
}
Tensor mean(Arg x, Axes axes, bool keep_dims) { return reduce("mean", x, axes, keep_dims); }

Tensor var(Arg x, Axes axes, double correction, bool keep_dims) {
  Recorder r("var", {&x});
  const Value v = r.value(x);
  return r("var", {v}, {{"axes", r.axes(axes, v.shape().rank())}, {"keep_dims", keep_dims}, {"correction", correction}});
}

Tensor stddev(Arg x, Axes axes, double correction, bool keep_dims) {
  Recorder r("stddev", {&x});
  const Value v = r.value(x);
  if (!is_floating(v.dtype())) r.fail("x must be floating");
  const Dims over = r.axes(axes, v.shape().rank());
  // The square of what f16 holds may be more than it holds.
  const Value wide = r.builder.cast(v, computed_in(v.dtype()));
  const Value square = r.builder("var", {wide}, {{"axes", over}, {"keep_dims", keep_dims}, {"correction", correction}});
  return r.tensor(r.builder.cast(detail::root(Expr(r.builder, square)), v.dtype()));
}

Tensor prod(Arg x, Axes axes, bool keep_dims) {
  Recorder r("prod", {&x});
  return reduce(r, "prod", accumulated(r, r.value(x)), axes, keep_dims);
}

Tensor count_nonzero(Arg x, Axes axes, bool keep_dims) {
  Recorder r("count_nonzero", {&x});
  return r.tensor(count(r, r.value(x, boolean), axes, keep_dims));
}

Tensor any(Arg x, Axes axes, bool keep_dims) {
  Recorder r("any", {&x});
  const Value v = r.value(x);
  const Expr those{r.builder, count(r, r.builder.cast(v, boolean), axes, keep_dims)};
  return answered(r, v, those != 0.0);
}

Tensor all(Arg x, Axes axes, bool keep_dims) {
  Recorder r("all", {&x});
  const Value v = r.value(x);
  const Expr others{r.builder, count(r, r.builder("not", {r.builder.cast(v, boolean)}), axes, keep_dims)};
  return answered(r, v, others == 0.0);
}

Tensor logsumexp(Arg x, Axes axes, bool keep_dims) {
  Recorder r("logsumexp", {&x});
  const DType dtype = r.floating_dtype();
  const Expr v{r.builder, r.value(x, computed_in(dtype))};
  const auto tensor = [&](Expr result) { return r.tensor(r.builder.cast(result, dtype)); };
  const Shape& shape = v.value().shape();
  const Dims over = r.axes(axes, shape.rank());
  const ir::NamedAttributes attributes{{"axes", over}, {"keep_dims", keep_dims}};
  if (shape.numel() == 0) return tensor(v.apply("sum", attributes).apply("log"));
  // Where the largest element is infinite, it would be subtracted from itself.
  const Expr largest = v.apply("max", attributes).apply("detach");
  const Expr shift = select(largest.apply("abs") < largest.like(infinity), largest, largest.like(0));
  const Expr sum = (v - Expr(r.builder, r.builder.broadcast_over(shift, over, shape))).apply("exp").apply("sum", attributes);
  return tensor(sum.apply("log") + shift);
}

Tensor norm(Arg x, double p, Axes axes, bool keep_dims) {
  Recorder r("norm", {&x});
  const Value v = r.value(x);
  if (!is_floating(v.dtype())) r.fail("x must be floating");
  return r.tensor(detail::norm(r, v, p, r.axes(axes, v.shape().rank()), keep_dims));
}

Tensor max(Arg x, Axes axes, bool keep_dims) { return extreme("max", x, axes, keep_dims); }
Tensor min(Arg x, Axes axes, bool keep_dims) { return extreme("min", x, axes, keep_dims); }

Tensor argmax(Arg x, std::optional<int64_t> axis, bool keep_dims) {
  Recorder r("argmax", {&x});
  return r.tensor(index_of_largest(r, r.value(x), axis, keep_dims));
}

Tensor argmin(Arg x, std::optional<int64_t> axis, bool keep_dims) {
  Recorder r("argmin", {&x});
  return r.tensor(index_of_largest(r, reversed(r, r.value(x)), axis, keep_dims));
}

ValuesAndIndices max_with_indices(Arg x, int64_t axis, bool keep_dims) {
  Recorder r("max_with_indices", {&x});
  const Value v = r.value(x);
  return picked(r, v, as_number(r, v), axis, keep_dims);
}

ValuesAndIndices min_with_indices(Arg x, int64_t axis, bool keep_dims) {
  Recorder r("min_with_indices", {&x});
  const Value v = r.value(x);
  return picked(r, v, reversed(r, as_number(r, v)), axis, keep_dims);
}

Tensor cumsum(Arg x, int64_t axis) { return running("cumsum", "add", 0, x, axis); }
Tensor cumprod(Arg x, int64_t axis) { return running("cumprod", "mul", 1, x, axis); }
Tensor softmax(Arg x, int64_t axis) { return along("softmax", x, axis); }
Tensor log_softmax(Arg x, int64_t axis) { return along("log_softmax", x, axis); }

}  // namespace weft
