#pragma once
// The transforms of Winograd's F(4x4, 3x3) (Lavin and Gray, 2015), for one instruction set. With x, a window of 6 x 6, w the kernel and y
// the 4 x 4 results of a tile,
//
//   y = A^T [ (G w G^T) * (B^T x B) ] A        * multiplies element by element, and sums over channels: 36 products of matrices
//
// and, since that is a trilinear form, the gradient of w is G^T [ (B^T x B) * (A dy A^T) ] G. Polynomials are evaluated at 0, 2/3, -2/3,
// 3/2, -3/2 and infinity, whose products are near 1: in f32 the error is about as large as the direct sum's.
//
// Vectors run along channels, of which there are whole multiples of a vector.

#include <cstdint>

namespace weft::cpu {

/// Of the widest vectors; and of those of 256 bits, which blocks of channels fill at least.
constexpr int64_t winograd_lanes = 16, winograd_least_run = 8;
/// Along an axis: results of a tile, a kernel's elements, and what the results are made of; and the products for them.
constexpr int64_t winograd_tile = 4, winograd_kernel = 3, winograd_window = winograd_tile + winograd_kernel - 1,
                  winograd_points = winograd_window * winograd_window;

/// A piece of an image: element (i, j) of a channel lies at data[i * row + j * column], where i and j are in these ranges; others are
/// outside of the image, where zeros are read and nothing is written.
struct ImagePiece {
  float* data;
  int64_t row, column;
  int64_t first_row, end_row, first_column, end_column;
};

/// Numbers of each of the points: of point p `count` of them, at data[p * plane].
struct WinogradPoints {
  float* data;
  int64_t plane;
};

struct WinogradTiles {
  /// B^T x B of a window of 6 x 6.
  void (*from_window)(const ImagePiece& x, int64_t count, const WinogradPoints& to);
  /// A dy A^T of a tile of 4 x 4.
  void (*from_tile)(const ImagePiece& y, int64_t count, const WinogradPoints& to);
  /// y = A^T m A.
  void (*to_tile)(const WinogradPoints& from, int64_t count, const ImagePiece& y);
  /// G w G^T, of kernels `distance` elements apart, each of 9 in one piece; from the last to the first element if `flipped`.
  void (*from_kernels)(const float* w, int64_t distance, bool flipped, int64_t count, const WinogradPoints& to);
  /// dw = G^T u G.
  void (*to_kernels)(const WinogradPoints& from, int64_t count, float* dw, int64_t distance);
};

extern const WinogradTiles sse4_winograd_tiles, avx2_winograd_tiles, avx512_winograd_tiles;

}  // namespace weft::cpu
