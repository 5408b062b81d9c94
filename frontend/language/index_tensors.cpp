// x[i, j], of tensors of indices, and torch.index_put.

#include "weft/frontend/language/ops.h"
#include "weft/frontend/language/recorder.h"
#include "weft/ir/ops/along_axis.h"

namespace weft {
namespace {

using detail::Recorder;
using ir::Expr;
using ir::Value;

/// What indices name: elements of x's first axes, as many as there are indices, taken as one.
class Places {
 public:
  Places(Recorder& r, Value x, const std::vector<Arg>& indices) : r_(r), x_(x), axes_(indices.size()) {
    if (indices.empty()) r.fail("needs an index");
    if (static_cast<int>(axes_) > x.shape().rank()) r.fail(fmt::format("there are {} indices for {} axes", axes_, x.shape().rank()));
    std::vector<Value> values;
    for (const Arg& index : indices) {
      values.push_back(r.index(index));
      if (values.back().dtype() != i64) r.fail("an index must be integers");
      const int64_t extent = x.shape().dims()[values.size() - 1];
      if (axes_ > 1) values.back() = r.builder("checked_index", {values.back()}, {{"below", extent}});
      Shape both;
      if (!broadcast_shapes(shape_, values.back().shape(), both)) r.fail("the indices do not broadcast to one shape");
      shape_ = both;
    }
    flat_ = ir::flattened(r.builder, combined(values));
  }

  Value flat() const { return flat_; }
  /// x with the indexed axes as one.
  Value rows() const {
    Dims dims = rest();
    dims.insert(dims.begin(), row_count());
    return r_.builder.reshape(x_, Shape(dims));
  }
  int64_t row_count() const {
    int64_t count = 1;
    for (size_t d = 0; d < axes_; ++d) count *= x_.shape().dims()[d];
    return count;
  }
  Shape result_shape() const {
    Dims dims = shape_.dims();
    for (int64_t extent : rest()) dims.push_back(extent);
    return Shape(dims);
  }
  /// One for each index, in a row.
  Shape update_shape() const {
    Dims dims = rest();
    dims.insert(dims.begin(), shape_.numel());
    return Shape(dims);
  }

 private:
  Dims rest() const { return {x_.shape().begin() + static_cast<std::ptrdiff_t>(axes_), x_.shape().end()}; }

  /// -1, which is none, where one of them is out of range.
  Value combined(const std::vector<Value>& indices) {
    ir::Builder& b = r_.builder;
    std::optional<Expr> place, inside;
    for (size_t d = 0; d < indices.size(); ++d) {
      const Expr index{b, b.broadcast(indices[d], shape_)};
      const auto extent = static_cast<double>(x_.shape().dims()[d]);
      const Expr fits = (index.like(0) <= index).apply("and", index < extent);
      place = place ? *place * extent + index : index;
      inside = inside ? inside->apply("and", fits) : fits;
    }
    return indices.size() == 1 ? place->value() : select(*inside, *place, place->like(-1)).value();
  }

  Recorder& r_;
  Value x_, flat_;
  size_t axes_;
  Shape shape_;
};

std::vector<const Arg*> pointers(const Arg& x, const std::vector<Arg>& indices) {
  std::vector<const Arg*> all{&x};
  for (const Arg& index : indices) all.push_back(&index);
  return all;
}

}  // namespace

Tensor index_get(Arg x, const std::vector<Arg>& indices) {
  Recorder r("index_get", pointers(x, indices), x.where());
  const Places places(r, r.value(x), indices);
  return r.tensor(r.builder.reshape(r.builder("gather", {places.rows(), places.flat()}), places.result_shape()));
}

Tensor index_put(Arg x, const std::vector<Arg>& indices, Arg values, bool accumulate) {
  Recorder r("index_put", pointers(x, indices), x.where());
  const Value v = r.value(x);
  const Places places(r, v, indices);
  if (v.dtype() == boolean) r.fail("x must be a number, but is bool; cast it");
  const Value given = r.value(values, v.dtype());
  Shape both;
  if (!broadcast_shapes(given.shape(), places.result_shape(), both) || both != places.result_shape())
    r.fail(fmt::format("the values, {}, must broadcast to {}", to_string(given.type()), to_string(places.result_shape())));
  ir::Builder& b = r.builder;
  const Value updates = b.reshape(b.broadcast(given, places.result_shape()), places.update_shape());
  Value rows = places.rows();
  if (!accumulate) {
    const Value none = b.splat({i64, Shape{places.row_count()}}, 0), ones = b.splat({i64, places.flat().shape()}, 1);
    const Expr hits{b, b("scatter_add", {none, places.flat(), ones})};
    Dims column(static_cast<size_t>(rows.shape().rank()), 1);
    column[0] = places.row_count();
    const Value free = b.broadcast(b.reshape(hits == 0.0, Shape(column)), rows.shape());
    rows = b("select", {free, rows, b.zeros_like(rows)});
  }
  return r.tensor(b.reshape(b("scatter_add", {rows, places.flat(), updates}), v.shape()));
}

}  // namespace weft
