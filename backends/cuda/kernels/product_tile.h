#pragma once
// How a product of matrices is cut into blocks of threads.

#include <cstdint>
#include <vector>

#include "weft/support/dtype.h"

namespace weft::cuda {

/// What a block computes at once.
struct ProductTile {
  int m, n, k;             // extents of a tile of the result, and how far one step goes along k
  int thread_m, thread_n;  // of the tile, what there is for each thread
  bool matrix_units = false;
  int threads() const { return m / thread_m * (n / thread_n); }
  /// Of so many matrices of so many rows and columns.
  int64_t blocks(int64_t batch, int64_t rows, int64_t columns) const;
};

/// `batch` products of matrices [m, k] and [k, n].
struct ProductExtents {
  DType dtype;
  int64_t batch, m, n, k;
};

/// Those that products of an element type choose from.
std::vector<ProductTile> product_tiles(DType dtype, bool with_matrix_units);
/// The one that a product takes: with the fewest waves of blocks that a large GPU runs at once, weighed by what each of them costs.
ProductTile tile_for(const ProductExtents& product, bool with_matrix_units);

}  // namespace weft::cuda
