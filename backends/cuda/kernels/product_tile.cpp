#include "weft/backends/cuda/kernels/product_tile.h"

#include <algorithm>
#include <array>
#include <optional>

namespace weft::cuda {
namespace {

struct Candidate {
  ProductTile tile;
  double speed;  // products a second, relative to the best's
};

constexpr std::array candidates{
    Candidate{{128, 128, 32, 8, 8, true}, 8}, Candidate{{64, 64, 32, 4, 4, true}, 6}, Candidate{{32, 32, 32, 2, 2, true}, 3},
    Candidate{{128, 128, 8, 8, 8}, 1},        Candidate{{64, 64, 16, 4, 4}, 0.75},    Candidate{{16, 128, 16, 2, 4}, 0.5},
    Candidate{{128, 16, 16, 4, 2}, 0.5},      Candidate{{32, 32, 16, 2, 2}, 0.4},     Candidate{{4, 256, 8, 1, 4}, 0.35},
    Candidate{{256, 4, 8, 4, 1}, 0.35},       Candidate{{16, 16, 16, 1, 1}, 0.15},
};
constexpr double blocks_at_once = 264;  // two on each of 132 processors

/// With elements of 8 bytes the largest would want more registers than there are, and integers are no matter of speed.
bool fits(const Candidate& c, DType dtype, bool with_matrix_units) {
  if (c.tile.matrix_units) return with_matrix_units && dtype == bf16;
  if (!is_floating(dtype)) return c.tile.m == c.tile.n && c.tile.m <= 64;
  return size_of(dtype) < 8 || c.tile.thread_m * c.tile.thread_n <= 16;
}

/// By matrix units where these have something to do.
bool is_worth(const ProductTile& tile, const ProductExtents& p) { return !tile.matrix_units || (p.m >= 16 && p.n >= 8 && p.k >= 16); }

/// As many as fill the GPU, none of which is short.
int64_t useful_parts(const ProductTile& tile, const ProductExtents& p) {
  if (!is_floating(p.dtype)) return 1;
  const int64_t free = static_cast<int64_t>(blocks_at_once) / std::max<int64_t>(1, tile.blocks(p.batch, p.m, p.n));
  const int64_t parts = std::clamp<int64_t>(std::min(free, p.k / 256), 1, 32);
  return (p.k + part_of(p.k, parts) - 1) / std::max<int64_t>(1, part_of(p.k, parts));
}

/// In products that a block adds while the GPU runs it, relative to the best tile's speed.
double cost_of(const ProductTile& tile, double speed, const ProductExtents& p) {
  constexpr double of_a_launch = 3e5;
  const double waves = std::max(1.0, static_cast<double>(tile.blocks(p.batch, p.m, p.n) * tile.parts) / blocks_at_once);
  return waves * tile.m * tile.n * static_cast<double>(std::max<int64_t>(1, p.k / tile.parts)) / speed + (tile.parts > 1 ? of_a_launch : 0);
}

}  // namespace

int64_t ProductTile::blocks(int64_t batch, int64_t rows, int64_t columns) const {
  return batch * ((rows + m - 1) / m) * ((columns + n - 1) / n);
}

std::vector<ProductTile> product_tiles(DType dtype, bool with_matrix_units) {
  std::vector<ProductTile> all;
  for (const Candidate& c : candidates)
    if (fits(c, dtype, with_matrix_units)) all.push_back(c.tile);
  return all;
}

ProductTile tile_for(const ProductExtents& p, const ProductMeans& means) {
  std::optional<ProductTile> best;
  double least = 0;
  for (const Candidate& c : candidates) {
    if (!fits(c, p.dtype, means.matrix_units) || !is_worth(c.tile, p)) continue;
    ProductTile tile = c.tile;
    tile.parts = means.memory_for_parts ? useful_parts(tile, p) : 1;
    if (const double cost = cost_of(tile, c.speed, p); !best || cost < least) best = tile, least = cost;
  }
  return *best;
}

int64_t part_of(int64_t k, int64_t parts) {
  const int64_t step = 32;  // of any tile
  return ((k + parts - 1) / parts + step - 1) / step * step;
}

}  // namespace weft::cuda
