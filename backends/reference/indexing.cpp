// gather and scatter_add.

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
      : outer(std::accumulate(x.begin(), x.begin() + axis, int64_t{1}, std::multiplies<>())),
        extent(x[static_cast<int>(axis)]),
        inner(std::accumulate(x.begin() + axis + 1, x.end(), int64_t{1}, std::multiplies<>())),
        indices(index.numel()) {}

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
void scatter(const Layout& layout, const std::vector<int64_t>& index, const std::vector<V>& updates,
             std::vector<V>& result, Add add) {
  layout.for_each_slice(index, [&](int64_t to, int64_t from) {
    if (to < 0) return;
    for (int64_t j = 0; j < layout.inner; ++j) {
      V& element = result[static_cast<size_t>(to + j)];
      element = add(element, updates[static_cast<size_t>(from + j)]);
    }
  });
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
  if (is_floating(result.type.dtype)) {
    scatter(layout, index.integer, updates.real, result.real, [](double a, double b) { return a + b; });
  } else {
    scatter(layout, index.integer, updates.integer, result.integer, [&](int64_t a, int64_t b) {
      return wrapped(result.type.dtype, static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b)));
    });
  }
  return result;
}

}  // namespace weft::reference
