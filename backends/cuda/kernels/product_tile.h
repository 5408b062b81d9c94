#pragma once
// How a product of matrices is cut into blocks of threads.

#include <cstdint>
#include <vector>

#include "weft/support/dtype.h"

namespace weft::cuda {

/// What a block computes at once.
struct ProductTile {
  int m, n, k;             // extents of a tile of the result, and how far one step goes along k
  int thread_m, thread_n;  // of the tile, a thread's part
  int threads() const { return m / thread_m * (n / thread_n); }
  /// Of so many matrices of so many rows and columns.
  int64_t blocks(int64_t batch, int64_t rows, int64_t columns) const;
};

/// Those that products of an element type choose from.
std::vector<ProductTile> product_tiles(DType dtype);
/// The one that a product takes: with the fewest waves of blocks that a large GPU runs at once, weighed by what each of them costs.
ProductTile tile_for(DType dtype, int64_t batch, int64_t rows, int64_t columns);

}  // namespace weft::cuda
