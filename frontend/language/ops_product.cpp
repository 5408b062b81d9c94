// Matrix products of the tensor language.

#include "weft/frontend/language/ops.h"
#include "weft/frontend/language/recorder.h"
#include "weft/support/matrix_product.h"

namespace weft {
namespace {

using detail::Recorder;
using ir::Expr;
using ir::Value;

Dims with(Dims lead, std::initializer_list<int64_t> last) {
  lead.insert(lead.end(), last);
  return lead;
}

/// a [..., m, k] times b [..., k, n] (or [..., n, k]), both with at least two axes and agreeing inner extents.
Value product(Recorder& r, Value a, Value b, bool transpose_b) {
  const Shape &x = a.shape(), &y = b.shape();
  const auto [m, k] = MatrixExtents::of(x);
  const ir::NamedAttributes attributes{{"transpose_b", transpose_b}};
  if (y.rank() == 2) {
    // One matrix for the whole batch: its rows are joined, so that this is one product.
    const int64_t n = MatrixExtents::of(y, transpose_b).columns;
    int64_t rows = m;
    for (int64_t extent : batch_axes(x)) rows *= extent;
    const Value joined = r.builder("matmul", {r.builder.reshape(a, Shape{rows, k}), b}, attributes);
    return r.builder.reshape(joined, Shape(with(batch_axes(x), {m, n})));
  }
  Shape batch;
  if (!broadcast_shapes(Shape(batch_axes(x)), Shape(batch_axes(y)), batch)) r.fail("the batch axes do not broadcast");
  const MatrixExtents in_b = MatrixExtents::of(y);
  a = r.builder.broadcast(a, Shape(with(batch.dims(), {m, k})));
  b = r.builder.broadcast(b, Shape(with(batch.dims(), {in_b.rows, in_b.columns})));
  return r.builder("matmul", {a, b}, attributes);
}

/// x weight^T, for x of any rank but 0.
Value rows_times_weight(Recorder& r, const Arg& x, const Arg& weight) {
  const Value v = r.value(x), w = r.value(weight);
  const int rank = v.shape().rank();
  if (rank < 1 || w.shape().rank() != 2 || v.shape()[rank - 1] != w.shape()[1]) r.fail("x must be [..., in] and the weight [out, in]");
  if (v.dtype() != w.dtype()) r.fail("x and the weight must have equal element types");
  if (rank > 1) return product(r, v, w, true);
  return r.builder.reshape(product(r, r.builder.reshape(v, Shape{1, v.shape()[0]}), w, true), Shape{w.shape()[0]});
}

/// Of operands of any rank but 0.
Tensor matmul_of(Recorder& r, const Arg& a, const Arg& b) {
  Value x = r.value(a), y = r.value(b);
  const bool row = x.shape().rank() == 1, column = y.shape().rank() == 1;
  if (x.shape().rank() == 0 || y.shape().rank() == 0) r.fail("both operands need at least one axis");
  if (x.shape()[x.shape().rank() - 1] != y.shape()[column ? 0 : y.shape().rank() - 2]) r.fail("the inner extents must agree");
  if (x.dtype() != y.dtype()) r.fail("the operands must have equal element types");
  if (row) x = r.builder.reshape(x, Shape{1, x.shape()[0]});
  if (column) y = r.builder.reshape(y, Shape{y.shape()[0], 1});
  Value result = product(r, x, y, false);
  Dims shape = result.shape().dims();
  if (column) shape.pop_back();
  if (row) shape.erase(shape.end() - (column ? 1 : 2));
  return r.tensor(r.builder.reshape(result, Shape(shape)));
}

void require_ranks(Recorder& r, const Arg& a, int rank_a, const Arg& b, int rank_b) {
  if (r.value(a).shape().rank() != rank_a || r.value(b).shape().rank() != rank_b)
    r.fail(fmt::format("the operands must have {} and {} axes", rank_a, rank_b));
}

/// matmul of operands of these ranks.
Tensor product_of(std::string_view what, const Arg& a, int rank_a, const Arg& b, int rank_b) {
  Recorder r(what, {&a, &b});
  require_ranks(r, a, rank_a, b, rank_b);
  return matmul_of(r, a, b);
}

}  // namespace

Tensor matmul(Arg a, Arg b) {
  Recorder r("matmul", {&a, &b});
  return matmul_of(r, a, b);
}

Tensor dot(Arg a, Arg b) { return product_of("dot", a, 1, b, 1); }
Tensor mv(Arg a, Arg b) { return product_of("mv", a, 2, b, 1); }
Tensor mm(Arg a, Arg b) { return product_of("mm", a, 2, b, 2); }

Tensor bmm(Arg a, Arg b) {
  Recorder r("bmm", {&a, &b});
  const Value x = r.value(a), y = r.value(b);
  if (x.shape().rank() == 3 && y.shape().rank() == 3 && x.shape()[0] != y.shape()[0]) r.fail("there must be as many matrices of each");
  return product_of("bmm", a, 3, b, 3);
}

Tensor outer(Arg a, Arg b) {
  Recorder r("outer", {&a, &b});
  require_ranks(r, a, 1, b, 1);
  const DType dtype = r.common_dtype();
  const Value x = r.value(a, dtype), y = r.value(b, dtype);
  const Shape shape{x.shape()[0], y.shape()[0]};
  return r("mul", {r.builder.broadcast(r.builder.reshape(x, Shape{shape[0], 1}), shape), r.builder.broadcast(y, shape)});
}

Tensor cross(Arg a, Arg b, int64_t axis) {
  Recorder r("cross", {&a, &b});
  const DType dtype = r.common_dtype();
  const Shape shape = r.common_shape();
  const Value x = r.value(a, dtype, shape), y = r.value(b, dtype, shape);
  const int64_t along = r.axis(axis, shape.rank());
  for (Value v : {r.value(a), r.value(b)})
    if (shape[static_cast<int>(along)] != 3 || v.shape().dims().end()[along - shape.rank()] != 3)
      r.fail(fmt::format("axis {} must have extent 3", along));
  // The elements in the order of the axis, each replaced by that so many places behind it.
  const auto turned = [&](Value v, int64_t places) {
    const auto part = [&](int64_t from, int64_t to) {
      Dims start(v.shape().dims().size(), 0), end = v.shape().dims();
      start[static_cast<size_t>(along)] = from, end[static_cast<size_t>(along)] = to;
      return r.builder("slice", {v}, {{"start", start}, {"end", end}});
    };
    return Expr(r.builder, r.builder("concat", {part(places, 3), part(0, places)}, {{"axis", along}}));
  };
  return r.tensor(turned(x, 1) * turned(y, 2) - turned(x, 2) * turned(y, 1));
}

Tensor trace(Arg x) {
  Recorder r("trace", {&x});
  const Value v = r.value(x);
  if (v.shape().rank() != 2) r.fail("x must be a matrix");
  return sum(diagonal(x));
}

Tensor linear(Arg x, Arg weight) {
  Recorder r("linear", {&x, &weight});
  return r.tensor(rows_times_weight(r, x, weight));
}

Tensor linear(Arg x, Arg weight, Arg bias) {
  Recorder r("linear", {&x, &weight, &bias});
  const Value product = rows_times_weight(r, x, weight), b = r.value(bias);
  const int64_t out = product.shape()[product.shape().rank() - 1];
  if (b.type() != ir::Type{product.dtype(), {out}}) r.fail("the bias must be [out], of the weight's element type");
  return r("add", {product, r.builder.broadcast(b, product.shape())});
}

}  // namespace weft
