// Lengths of vectors and distances between them.

#include <cmath>

#include "weft/frontend/language/norm_of.h"
#include "weft/frontend/language/ops.h"
#include "weft/frontend/language/recorder.h"

namespace weft {
namespace {

using detail::Recorder;
using ir::Expr;
using ir::Value;

Expr norm_along(Recorder& r, Value v, double p, int64_t axis, bool keep_dims) {
  return {r.builder, detail::wide_norm(r, v, p, {axis}, keep_dims)};
}

void require_eps(Recorder& r, double eps) {
  if (!std::isfinite(eps)) r.fail(fmt::format("eps must be finite, not {}", eps));
}

/// The operands' common type, which must be floating: f16 and bf16 are computed in f32 and rounded once.
DType floating(const Recorder& r) {
  const DType dtype = r.common_dtype();
  if (!is_floating(dtype)) r.fail("the operands must be floating");
  return dtype;
}

/// Both operands in that type, the narrow ones as f32, and their common shape.
std::pair<Value, Value> both(Recorder& r, const Arg& a, const Arg& b) {
  const DType dtype = computed_in(floating(r));
  const Shape shape = r.common_shape();
  const Value x = r.value(a, dtype, shape);
  return {x, r.value(b, dtype, shape)};
}

/// What is computed, in the type that the operands have together.
Tensor rounded(Recorder& r, Value v) { return r.tensor(r.builder.cast(v, floating(r))); }

}  // namespace

Tensor normalize(Arg x, double p, int64_t axis, double eps) {
  Recorder r("normalize", {&x});
  const Value given = r.value(x);
  if (!is_floating(given.dtype())) r.fail("x must be floating");
  require_eps(r, eps);
  Value v = r.builder.cast(given, computed_in(given.dtype()));
  const int64_t along = r.axis_of(v, axis);
  const Expr length = norm_along(r, v, p, along, true).apply("clamp", {{"min", eps}});
  return rounded(r, r.builder.reshape(Expr(r.builder, v) / length.broadcast(v.shape()), given.shape()));
}

Tensor cosine_similarity(Arg a, Arg b, int64_t axis, double eps) {
  Recorder r("cosine_similarity", {&a, &b});
  auto [x, y] = both(r, a, b);
  require_eps(r, eps);
  const int64_t along = r.axis_of(x, axis);
  r.axis_of(y, axis);
  const auto direction = [&](Value v) {
    // As in PyTorch, the length has its own derivative where eps stands in its place.
    const Expr length = norm_along(r, v, 2, along, true), moved = length - length.apply("detach") + eps;
    return Expr(r.builder, v) / select(length < length.like(eps), moved, length).broadcast(v.shape());
  };
  const Expr one = direction(x), other = direction(y);
  return rounded(r, r.builder.sum(one * other, {along}));
}

Tensor pairwise_distance(Arg a, Arg b, double p, double eps, bool keep_dims) {
  Recorder r("pairwise_distance", {&a, &b});
  const auto [x, y] = both(r, a, b);
  require_eps(r, eps);
  if (x.shape().rank() == 0) r.fail("the operands need at least one axis");
  return rounded(r, norm_along(r, Expr(r.builder, x) - Expr(r.builder, y) + eps, p, x.shape().rank() - 1, keep_dims));
}

Tensor cdist(Arg a, Arg b, double p) {
  Recorder r("cdist", {&a, &b});
  const DType dtype = computed_in(floating(r));
  if (!(p >= 0)) r.fail(fmt::format("p must not be negative, but is {}", p));
  const Value x = r.value(a, dtype), y = r.value(b, dtype);
  if (x.shape().rank() < 2 || y.shape().rank() < 2) r.fail("the operands must be rows [..., n, d]");
  Dims rows = x.shape().dims(), columns = y.shape().dims();
  if (rows.back() != columns.back()) r.fail("the rows must have equal lengths");
  rows.insert(rows.end() - 1, 1);
  columns.insert(columns.end() - 2, 1);
  Shape shape;
  if (!broadcast_shapes(Shape(rows), Shape(columns), shape)) r.fail("the batch axes do not broadcast");
  const auto stretched = [&](Value v, const Dims& dims) { return Expr(r.builder, r.builder.reshape(v, Shape(dims))).broadcast(shape); };
  return rounded(r, norm_along(r, stretched(x, rows) - stretched(y, columns), p, shape.rank() - 1, false));
}

}  // namespace weft
