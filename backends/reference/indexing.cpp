// gather, scatter_add, coalesce and scatter_rows.

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>

#include "weft/backends/reference/heavy.h"

namespace weft::reference {
namespace {

/// A tensor as [outer, extent, inner] around the indexed axis, and as many indices into the extent as are given.
struct Layout {
  int64_t outer, extent, inner, indices;

  Layout(const Shape& x, int64_t axis, const Shape& index)
      : outer(std::accumulate(x.begin(), x.begin() + axis, int64_t{1}, std::multiplies<>())), extent(x[static_cast<int>(axis)]),
        inner(std::accumulate(x.begin() + axis + 1, x.end(), int64_t{1}, std::multiplies<>())), indices(index.numel()) {}

  /// Calls visit(first element of the slice of x, first element of the slice of what is gathered or added), with -1
  /// for an index outside the extent.
  template <class Visit>
  void for_each_slice(const std::vector<int64_t>& index, Visit visit) const {
    for (int64_t o = 0; o < outer; ++o)
      for (int64_t i = 0; i < indices; ++i) {
        const int64_t at = index[static_cast<size_t>(i)];
        const bool valid = at >= 0 && at < extent;
        visit(valid ? (o * extent + at) * inner : -1, (o * indices + i) * inner);
      }
  }
};

template <class V>
void gather(const Layout& layout, const std::vector<V>& x, const std::vector<int64_t>& index, std::vector<V>& result) {
  const V none = std::numeric_limits<V>::has_quiet_NaN ? std::numeric_limits<V>::quiet_NaN() : V{0};
  layout.for_each_slice(index, [&](int64_t from, int64_t to) {
    if (from < 0) std::fill_n(result.begin() + to, layout.inner, none);
    else std::copy_n(x.begin() + from, layout.inner, result.begin() + to);
  });
}

template <class V, class Add>
void scatter(const Layout& layout, const std::vector<int64_t>& index, const std::vector<V>& updates, std::vector<V>& result, Add add) {
  layout.for_each_slice(index, [&](int64_t to, int64_t from) {
    if (to < 0) return;
    for (int64_t j = 0; j < layout.inner; ++j) {
      V& element = result[static_cast<size_t>(to + j)];
      element = add(element, updates[static_cast<size_t>(from + j)]);
    }
  });
}

template <class V, class Add>
void coalesce(const std::vector<int64_t>& index, const std::vector<V>& rows, std::vector<V>& result, Add add) {
  const size_t inner = index.empty() ? 0 : rows.size() / index.size();
  for (size_t i = 0; i < index.size(); ++i)
    for (size_t j = 0; j < index.size(); ++j)
      for (size_t e = 0; e < inner && index[i] == index[j]; ++e) {
        V& sum = result[i * inner + e];
        sum = add(sum, rows[j * inner + e]);
      }
}

double sum(double a, double b) { return a + b; }

/// The sum of integers as their type wraps it.
auto wrapping_sum(DType dtype) {
  return
      [dtype](int64_t a, int64_t b) { return wrapped(dtype, static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b))); };
}

}  // namespace

Tensor gather(const ir::Op& op, Operands operands) {
  const Tensor &x = *operands[0], &index = *operands[1];
  const Layout layout(x.type.shape, op.integer("axis"), index.type.shape);
  Tensor result(op.result().type());
  if (is_floating(result.type.dtype)) gather(layout, x.real, index.integer, result.real);
  else gather(layout, x.integer, index.integer, result.integer);
  return result;
}

Tensor scatter_add(const ir::Op& op, Operands operands) {
  const Tensor &index = *operands[1], &updates = *operands[2];
  Tensor result = *operands[0];
  const Layout layout(result.type.shape, op.integer("axis"), index.type.shape);
  if (is_floating(result.type.dtype)) scatter(layout, index.integer, updates.real, result.real, sum);
  else scatter(layout, index.integer, updates.integer, result.integer, wrapping_sum(result.type.dtype));
  return result;
}

Tensor coalesce(const ir::Op&, Operands operands) {
  const std::vector<int64_t>& index = operands[0]->integer;
  const Tensor& rows = *operands[1];
  Tensor result(rows.type);
  if (is_floating(rows.type.dtype)) coalesce(index, rows.real, result.real, sum);
  else coalesce(index, rows.integer, result.integer, wrapping_sum(rows.type.dtype));
  return result;
}

Tensor scatter_rows(const ir::Op&, Operands operands) {
  const Tensor &index = *operands[1], &rows = *operands[2];
  Tensor result = *operands[0];
  const Layout layout(result.type.shape, 0, index.type.shape);
  const auto replace = [](auto, auto row) { return row; };
  if (is_floating(result.type.dtype)) scatter(layout, index.integer, rows.real, result.real, replace);
  else scatter(layout, index.integer, rows.integer, result.integer, replace);
  return result;
}

}  // namespace weft::reference
