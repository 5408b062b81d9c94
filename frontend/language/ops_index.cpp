// Ops of the tensor language that pick and place elements by index.

#include "weft/frontend/language/ops.h"
#include "weft/frontend/language/recorder.h"
#include "weft/ir/ops/along_axis.h"

namespace weft {

using detail::Recorder;
using ir::Expr;
using ir::Value;

Tensor gather(Arg x, Arg index, int64_t axis) {
  Recorder r("gather", {&x, &index});
  const Value v = r.value(x), i = r.index(index);
  return r("gather", {v, i}, {{"axis", r.axis(axis, v.shape().rank())}});
}

Tensor embedding(Arg index, Arg weight, std::optional<int64_t> padding_idx, bool sparse) {
  Recorder r("embedding", {&index, &weight});
  const Value i = r.index(index), w = r.value(weight);
  if (w.shape().rank() != 2) r.fail("the weight must be [rows, d]");
  const Value rows = r.builder("gather", {w, i}, {{"axis", int64_t{0}}, {"sparse", sparse}});
  if (!padding_idx) return r.tensor(rows);
  const int64_t padding = *padding_idx < 0 ? *padding_idx + w.shape()[0] : *padding_idx;
  if (padding < 0 || padding >= w.shape()[0]) r.fail(fmt::format("padding_idx {} is no row", *padding_idx));
  Dims column = i.shape().dims();
  column.push_back(1);
  const ir::Expr at{r.builder, r.builder.broadcast(r.builder.reshape(i, Shape(column)), rows.shape())};
  return r("select", {at == static_cast<double>(padding), r.builder("detach", {rows}), rows});
}

Tensor index_select(Arg x, int64_t axis, Arg index) {
  Recorder r("index_select", {&x, &index});
  const Value given = r.value(x), i = r.index(index);
  if (i.shape().rank() != 1) r.fail("the index must have one axis");
  Value v = given;
  const int64_t along = r.axis_of(v, axis);
  if (given.shape().rank() == 0 && i.shape()[0] != 1) r.fail("of a scalar the index must be one");
  const Value taken = r.builder("gather", {v, i}, {{"axis", along}});
  return r.tensor(given.shape().rank() == 0 ? r.builder.reshape(taken, {}) : taken);
}

Tensor scatter_add(Arg x, Arg index, Arg updates, int64_t axis) {
  Recorder r("scatter_add", {&x, &index, &updates});
  const Value v = r.value(x), i = r.index(index), u = r.value(updates, v.dtype());
  return r("scatter_add", {v, i, u}, {{"axis", r.axis(axis, v.shape().rank())}});
}

Tensor one_hot(Arg index, int64_t classes, DType dtype) {
  Recorder r("one_hot", {&index});
  if (classes < 1) r.fail(fmt::format("needs at least one class, not {}", classes));
  return r("one_hot", {r.index(index)}, {{"classes", classes}, {"dtype", dtype}});
}

namespace {

/// ir::places_along_axis of an index that fits x; a scalar counts as one element of an axis.
Value flat_places(Recorder& r, Value x, Value index, int64_t axis) {
  if (x.shape().rank() == 0 && index.shape().rank() == 0) index = r.builder.reshape(index, Shape{1});
  axis = r.axis_of(x, axis);
  const Shape &from = x.shape(), &shape = index.shape();
  if (index.dtype() != i64) r.fail("the index must be integers");
  if (shape.rank() != from.rank()) r.fail("x and the index must have equal ranks");
  for (int d = from.rank() - 1; d >= 0; --d)
    if (d != axis && shape[d] > from[d]) r.fail(fmt::format("the index reaches beyond x along axis {}", d));
  index = r.builder("checked_index", {index}, {{"below", from[static_cast<int>(axis)]}});
  return ir::places_along_axis(r.builder, index, from, static_cast<int>(axis));
}

Value flat(Recorder& r, Value v) { return ir::flattened(r.builder, v); }

}  // namespace

Tensor take_along_axis(Arg x, Arg index, int64_t axis) {
  Recorder r("take_along_axis", {&x, &index});
  const Value v = r.value(x), i = r.index(index);
  const Value places = flat_places(r, v, i, axis);
  return r.tensor(r.builder.reshape(r.builder("gather", {flat(r, v), places}), i.shape()));
}

Tensor scatter_along_axis(Arg x, Arg index, Arg updates, int64_t axis) {
  Recorder r("scatter_along_axis", {&x, &index, &updates});
  const Value v = r.value(x), i = r.index(index), u = r.value(updates, v.dtype(), i.shape());
  if (v.dtype() == boolean) r.fail("x must be a number, but is bool; cast it");
  const Value places = flat_places(r, v, i, axis), from = flat(r, v);
  const auto scattered = [&](Value updated, DType dtype) {
    const Value none = r.builder.splat({dtype, from.shape()}, 0);
    return r.builder("scatter_add", {none, places, updated});
  };
  const Expr hits{r.builder, scattered(r.builder.splat({i64, places.shape()}, 1), i64)};
  return r.tensor(r.builder.reshape(select(hits == 0.0, {r.builder, from}, {r.builder, scattered(flat(r, u), v.dtype())}), v.shape()));
}

Tensor scatter_add_along_axis(Arg x, Arg index, Arg updates, int64_t axis) {
  Recorder r("scatter_add_along_axis", {&x, &index, &updates});
  const Value v = r.value(x), i = r.index(index), u = r.value(updates, v.dtype(), i.shape());
  const Value places = flat_places(r, v, i, axis);
  return r.tensor(r.builder.reshape(r.builder("scatter_add", {flat(r, v), places, flat(r, u)}), v.shape()));
}

}  // namespace weft
