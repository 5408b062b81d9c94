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
  const Value v = r.value(x);
  return r(op, {v}, {{"axis", r.axis(axis, v.shape().rank())}});
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
  if (!axis) v = r.builder.reshape(v, Shape{v.shape().numel()});
  const int64_t along = r.axis(axis.value_or(0), v.shape().rank());
  if (v.shape()[static_cast<int>(along)] == 0) r.fail("an empty axis has no extreme");
  return r.builder("argmax", {v}, {{"axis", along}, {"keep_dims", axis && keep_dims}});
}

/// In reverse order: the least element becomes the largest. -x of the least integer would be that integer again.
Value reversed(Recorder& r, Value v) { return r.builder(is_floating(v.dtype()) ? "neg" : "not", {v}); }

/// The elements at the index, which has kept the axis, as a sum in which all others are 0: it fuses with what finds the index.
ValuesAndIndices picked(Recorder& r, Value v, Value index, int64_t axis, bool keep_dims) {
  const int64_t along = r.axis(axis, v.shape().rank());
  const Value number = r.builder("iota", {}, {{"shape", v.shape().dims()}, {"axis", along}});
  const Value here = r.builder("eq", {number, r.builder.broadcast(index, v.shape())});
  const Value values = r.builder.sum(r.builder("select", {here, v, r.builder.zeros_like(v)}), {along}, keep_dims);
  return {r.tensor(values), r.tensor(r.builder.reshape(index, values.shape()))};
}

Tensor running(std::string_view what, std::string_view op, double neutral, const Arg& x, int64_t axis) {
  Recorder r(what, {&x});
  const Value v = accumulated(r, r.value(x));
  const auto along = static_cast<int>(r.axis(axis, v.shape().rank()));
  // bf16 is rounded once.
  const Value wide = r.builder.cast(v, computed_in(v.dtype()));
  return r.tensor(r.builder.cast(ir::scan(r.builder, wide, along, op, neutral), v.dtype()));
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
  const Value square =
      r.builder("var", {v}, {{"axes", r.axes(axes, v.shape().rank())}, {"keep_dims", keep_dims}, {"correction", correction}});
  return r.tensor(detail::root(Expr(r.builder, square)));
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
  const Expr those{r.builder, count(r, r.value(x, boolean), axes, keep_dims)};
  return r.tensor(those != 0.0);
}

Tensor all(Arg x, Axes axes, bool keep_dims) {
  Recorder r("all", {&x});
  const Expr others{r.builder, count(r, r.builder("not", {r.value(x, boolean)}), axes, keep_dims)};
  return r.tensor(others == 0.0);
}

Tensor logsumexp(Arg x, Axes axes, bool keep_dims) {
  Recorder r("logsumexp", {&x});
  const Expr v{r.builder, r.value(x, r.floating_dtype())};
  const Shape& shape = v.value().shape();
  const Dims over = r.axes(axes, shape.rank());
  const ir::NamedAttributes attributes{{"axes", over}, {"keep_dims", keep_dims}};
  if (shape.numel() == 0) return r.tensor(v.apply("sum", attributes).apply("log"));
  // Where the largest element is infinite, it would be subtracted from itself.
  const Expr largest = v.apply("max", attributes).apply("detach");
  const Expr shift = select(largest.apply("abs") < largest.like(infinity), largest, largest.like(0));
  const Expr sum = (v - Expr(r.builder, r.builder.broadcast_over(shift, over, shape))).apply("exp").apply("sum", attributes);
  return r.tensor(sum.apply("log") + shift);
}

Tensor norm(Arg x, double p, Axes axes, bool keep_dims) {
  Recorder r("norm", {&x});
  const Value v = r.value(x);
  if (!is_floating(v.dtype())) r.fail("x must be floating");
  return r.tensor(detail::norm(r, v, p, r.axes(axes, v.shape().rank()), keep_dims));
}

Tensor max(Arg x, Axes axes, bool keep_dims) { return reduce("max", x, axes, keep_dims); }
Tensor min(Arg x, Axes axes, bool keep_dims) { return reduce("min", x, axes, keep_dims); }

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
  return picked(r, v, index_of_largest(r, v, axis, true), axis, keep_dims);
}

ValuesAndIndices min_with_indices(Arg x, int64_t axis, bool keep_dims) {
  Recorder r("min_with_indices", {&x});
  const Value v = r.value(x);
  return picked(r, v, index_of_largest(r, reversed(r, v), axis, true), axis, keep_dims);
}

Tensor cumsum(Arg x, int64_t axis) { return running("cumsum", "add", 0, x, axis); }
Tensor cumprod(Arg x, int64_t axis) { return running("cumprod", "mul", 1, x, axis); }
Tensor softmax(Arg x, int64_t axis) { return along("softmax", x, axis); }
Tensor log_softmax(Arg x, int64_t axis) { return along("log_softmax", x, axis); }

}  // namespace weft
