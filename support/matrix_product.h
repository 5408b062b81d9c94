#pragma once
// The extents of a product of matrices: what a product's shape, its cost and the calls that run it follow from.

#include "weft/support/shape.h"

namespace weft {

/// Extents of the matrices that stand along the last two axes of a shape, as a product takes them: `transposed` swaps them.
struct MatrixExtents {
  int64_t rows = 0, columns = 0;
  static MatrixExtents of(const Shape& shape, bool transposed = false);
};

/// The axes that lead those of the matrices: the batch.
Dims batch_axes(const Shape& shape);

/// The permutation that transposes them.
Dims matrix_transposition(int rank);

/// `batch` products of a [m, k] and b [k, n].
struct MatrixProduct {
  int64_t batch = 1;  // one behind the other in memory; 0 where the result has no elements
  int64_t m = 0, n = 0, k = 0;
  bool transpose_a = false;  // a is [k, m] in memory
  bool transpose_b = false;  // b is [n, k] in memory

  /// Of operands that agree in their ranks, batches and inner extents.
  static MatrixProduct of(const Shape& a, const Shape& b, bool transpose_a, bool transpose_b);
  /// Multiplications and additions.
  /// Of the operands and the result.
  double elements() const {
    const auto rows = static_cast<double>(m), columns = static_cast<double>(n), depth = static_cast<double>(k);
    return static_cast<double>(batch) * (rows * depth + depth * columns + rows * columns);
  }
  double flops() const { return 2.0 * static_cast<double>(batch * m * n) * static_cast<double>(k); }
};

}  // namespace weft
