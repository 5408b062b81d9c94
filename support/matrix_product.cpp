#include "weft/support/matrix_product.h"

#include <functional>
#include <numeric>
#include <utility>

namespace weft {

MatrixExtents MatrixExtents::of(const Shape& shape, bool transposed) {
  MatrixExtents extents{.rows = shape[-2], .columns = shape[-1]};
  if (transposed) std::swap(extents.rows, extents.columns);
  return extents;
}

Dims batch_axes(const Shape& shape) { return {shape.begin(), shape.end() - 2}; }

Dims matrix_transposition(int rank) {
  Dims permutation(static_cast<size_t>(rank));
  std::iota(permutation.begin(), permutation.end(), 0);
  std::swap(permutation.end()[-1], permutation.end()[-2]);
  return permutation;
}

MatrixProduct MatrixProduct::of(const Shape& a, const Shape& b, bool transpose_a, bool transpose_b) {
  const auto [m, k] = MatrixExtents::of(a, transpose_a);
  MatrixProduct p{.m = m, .n = MatrixExtents::of(b, transpose_b).columns, .k = k, .transpose_a = transpose_a, .transpose_b = transpose_b};
  const Dims batch = batch_axes(a);
  p.batch = p.m == 0 || p.n == 0 ? 0 : std::accumulate(batch.begin(), batch.end(), int64_t{1}, std::multiplies<>());
  return p;
}

}  // namespace weft
