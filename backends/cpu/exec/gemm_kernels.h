#pragma once
// The innermost loops of a product, for one instruction set: tiles of the result in registers, and operands packed for them.
//
// One operand is read in vectors, the other element by element, each broadcast to a vector. A tile is a few lines of the broadcast
// operand by a panel of the vector one. Either operand may be either: where the vector one is the left, tiles are transposed as they
// are stored.

#include <cstdint>

namespace weft::cpu {

/// Where a tile goes: element (i, j) is row i, column j of the result, or row j, column i of a transposed tile.
struct GemmTile {
  float* result;
  const float* addend;  // lies as the result; null: none. May be the result itself
  const float* bias;    // of the tile's first column of the result; null: none
  int64_t row;          // distance of the result's rows
};

/// An operand of a tile: element (line, k) lies at data[line * this->line + k * depth].
struct GemmOperand {
  const float* data;
  int64_t line, depth;
};

struct GemmKernels {
  /// Adds up k products for each element of a tile of so many lines, and `width` of the panel. Of `vectors`, whose `line` is 1, whole
  /// panels (half ones, where the width fits one) are read, whatever the width.
  using Tile = void (*)(int64_t k, const GemmOperand& broadcast, const GemmOperand& vectors, const GemmTile& tile, int64_t width);
  /// Copies so many lines of k elements into panels of `panel` or, for broadcasts, `lines` of them, one behind the other: [k][panel].
  /// Lines that are missing in the last panel of vectors are 0; the last one of broadcasts is filled as far as there are lines.
  using Pack = void (*)(const GemmOperand& from, int64_t lines, int64_t k, float* to);

  static constexpr int most_lines = 12;

  const char* name;       // as an implementation's
  int64_t lines;          // most that a tile has here
  int64_t panel;          // elements: two vectors
  int64_t most_products;  // m n k beyond which the library is better, unless an extent is short; 0: it never is

  Tile tiles[2][2][most_lines];  // [transposed][more than one vector wide][lines - 1]
  Pack pack_vectors;             // of lines side by side: from.line is 1
  Pack pack_vectors_by_lines;    // of lines each of which lies in one piece: from.depth is 1
  Pack pack_broadcasts;          // of lines side by side

  Tile tile(bool transposed, int64_t tile_lines, int64_t width) const { return tiles[transposed][width * 2 > panel][tile_lines - 1]; }
};

extern const GemmKernels avx2_gemm_kernels, avx512_gemm_kernels;

}  // namespace weft::cpu
