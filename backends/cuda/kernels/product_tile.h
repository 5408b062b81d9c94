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
  int64_t parts = 1;  // of k, which are summed apart
  int threads() const { return m / thread_m * (n / thread_n); }
  /// Of one part, for so many matrices of so many rows and columns.
  int64_t blocks(int64_t batch, int64_t rows, int64_t columns) const;
};

/// `batch` products of matrices [m, k] and [k, n].
struct ProductExtents {
  DType dtype;
  int64_t batch, m, n, k;
};

/// What there is to run it.
struct ProductMeans {
  bool matrix_units = false;
  bool memory_for_parts = false;
};

/// Those that products of an element type choose from.
std::vector<ProductTile> product_tiles(DType dtype, bool with_matrix_units);
/// The one that a product takes: with the fewest waves of blocks that a large GPU runs at once, weighed by what each of them costs. Where
/// the blocks are few, k is cut into parts.
ProductTile tile_for(const ProductExtents& product, const ProductMeans& means);

/// How far a part goes along k, the last one to the end.
int64_t part_of(int64_t k, int64_t parts);

}  // namespace weft::cuda
