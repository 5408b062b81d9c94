// The code of WinogradTiles, compiled once for each instruction set by the file that includes this. All of it stands in a nameless
// namespace, and it calls no function that another file might have compiled too: a processor may lack what it was compiled for.

#include <cstdint>

#include "weft/backends/cpu/exec/winograd_tiles.h"

namespace weft::cpu {
namespace {

#include "weft/backends/cpu/exec/vectors_code.h"

static_assert(winograd_lanes % lanes == 0);

// Vectors stay in registers where loops over them are written out.
#define UNROLL _Pragma("GCC unroll 9")

constexpr int tile = winograd_tile, window = winograd_window, kernel = winograd_kernel;

// The points +-a and +-b, with a b = 1.
constexpr float a = 2.0F / 3, b = 1.5F, a2 = a * a, b2 = b * b;
constexpr float a3 = a2 * a, b3 = b2 * b, sum2 = a2 + b2;
/// What a polynomial's value at +-a, and at +-b, is divided by.
constexpr float share_a = 1 / (2 * a2 * (a2 - b2)), share_b = 1 / (2 * b2 * (b2 - a2));

// The transforms along one axis, from numbers that lie `step` apart.

/// B^T x: 6 to 6.
struct WindowPoints {
  static constexpr int from = window, to = window;
  INLINE void operator()(const Floats (&x)[from], Floats* y, int step) const {
    const Floats even_a = x[4] - b2 * x[2], odd_a = a * x[3] - b * x[1], even_b = x[4] - a2 * x[2], odd_b = b * x[3] - a * x[1];
    y[0] = x[0] - sum2 * x[2] + x[4], y[step] = even_a + odd_a, y[2 * step] = even_a - odd_a;
    y[3 * step] = even_b + odd_b, y[4 * step] = even_b - odd_b, y[5 * step] = x[1] - sum2 * x[3] + x[5];
  }
};

/// A x: 4 to 6.
struct TilePoints {
  static constexpr int from = tile, to = window;
  INLINE void operator()(const Floats (&x)[from], Floats* y, int step) const {
    const Floats even_a = x[0] + a2 * x[2], odd_a = a * x[1] + a3 * x[3], even_b = x[0] + b2 * x[2], odd_b = b * x[1] + b3 * x[3];
    y[0] = x[0], y[step] = even_a + odd_a, y[2 * step] = even_a - odd_a;
    y[3 * step] = even_b + odd_b, y[4 * step] = even_b - odd_b, y[5 * step] = x[3];
  }
};

/// A^T x: 6 to 4.
struct TileValues {
  static constexpr int from = window, to = tile;
  INLINE void operator()(const Floats (&x)[from], Floats* y, int step) const {
    const Floats even_a = x[1] + x[2], odd_a = x[1] - x[2], even_b = x[3] + x[4], odd_b = x[3] - x[4];
    y[0] = x[0] + even_a + even_b, y[step] = a * odd_a + b * odd_b;
    y[2 * step] = a2 * even_a + b2 * even_b, y[3 * step] = a3 * odd_a + b3 * odd_b + x[5];
  }
};

/// G x: 3 to 6.
struct KernelPoints {
  static constexpr int from = kernel, to = window;
  INLINE void operator()(const Floats (&x)[from], Floats* y, int step) const {
    const Floats even_a = share_a * x[0] + share_a * a2 * x[2], odd_a = share_a * a * x[1];
    const Floats even_b = share_b * x[0] + share_b * b2 * x[2], odd_b = share_b * b * x[1];
    y[0] = x[0], y[step] = even_a + odd_a, y[2 * step] = even_a - odd_a;
    y[3 * step] = even_b + odd_b, y[4 * step] = even_b - odd_b, y[5 * step] = x[2];
  }
};

/// G^T x: 6 to 3.
struct KernelValues {
  static constexpr int from = window, to = kernel;
  INLINE void operator()(const Floats (&x)[from], Floats* y, int step) const {
    const Floats even_a = share_a * (x[1] + x[2]), odd_a = share_a * a * (x[1] - x[2]);
    const Floats even_b = share_b * (x[3] + x[4]), odd_b = share_b * b * (x[3] - x[4]);
    y[0] = x[0] + even_a + even_b, y[step] = odd_a + odd_b, y[2 * step] = a2 * even_a + b2 * even_b + x[5];
  }
};

/// Along both: read(x, i, j) gives element (i, j), write(x, i, j) takes it.
template <class Transform, class Read, class Write>
INLINE void transform(Transform along, Read read, Write write) {
  constexpr int from = Transform::from, to = Transform::to;
  Floats half[to][from];
  UNROLL
  for (int j = 0; j < from; ++j) {
    Floats column[from];
    UNROLL
    for (int i = 0; i < from; ++i) read(column[i], i, j);
    along(column, &half[0][j], from);
  }
  UNROLL
  for (int i = 0; i < to; ++i) {
    Floats row[to];
    along(half[i], row, 1);
    UNROLL
    for (int j = 0; j < to; ++j) write(row[j], i, j);
  }
}

/// Calls `what` for a piece and points with a vector of channels after the other.
template <class Do>
INLINE void for_each_vector(ImagePiece piece, WinogradPoints points, int64_t count, Do what) {
  for (int64_t c = 0; c < count; c += lanes, piece.data += lanes, points.data += lanes) what(piece, points);
}

INLINE float* at(const ImagePiece& piece, int i, int j) { return piece.data + i * piece.row + j * piece.column; }
INLINE float* at(const WinogradPoints& points, int i, int j) { return points.data + (i * window + j) * points.plane; }
/// A vector of channels of each element of a piece that reaches beyond its image.
struct Copy {
  float elements[window * window * lanes];

  ImagePiece piece() { return {elements, window * lanes, lanes, 0, window, 0, window}; }
  /// Calls `what` with the places of an element in the image and here.
  template <class Do>
  INLINE void for_each(const ImagePiece& image, Do what) {
    for (int64_t i = image.first_row; i < image.end_row; ++i)
      for (int64_t j = image.first_column; j < image.end_column; ++j)
        what(image.data + i * image.row + j * image.column, elements + (i * window + j) * lanes);
  }
};
INLINE bool is_whole(const ImagePiece& x, int extent) {
  return x.first_row == 0 && x.first_column == 0 && x.end_row == extent && x.end_column == extent;
}

template <class Transform>
INLINE void from_whole(const ImagePiece& piece, const WinogradPoints& points) {
  transform(
      Transform(), [&](Floats& x, int i, int j) { load(x, at(piece, i, j)); },
      [&](const Floats& x, int i, int j) { store(at(points, i, j), x); });
}

template <class Transform>
INLINE void from_image(const ImagePiece& image, int64_t count, const WinogradPoints& to) {
  if (is_whole(image, Transform::from)) return for_each_vector(image, to, count, from_whole<Transform>);
  Copy copy = {};
  for_each_vector(image, to, count, [&](const ImagePiece& piece, const WinogradPoints& points) {
    copy.for_each(piece, [](const float* from, float* element) {
      Floats x;
      load(x, from), store(element, x);
    });
    from_whole<Transform>(copy.piece(), points);
  });
}

void from_window(const ImagePiece& x, int64_t count, const WinogradPoints& to) { from_image<WindowPoints>(x, count, to); }
void from_tile(const ImagePiece& y, int64_t count, const WinogradPoints& to) { from_image<TilePoints>(y, count, to); }

INLINE void to_whole(const WinogradPoints& points, const ImagePiece& piece) {
  transform(
      TileValues(), [&](Floats& x, int i, int j) { load(x, at(points, i, j)); },
      [&](const Floats& x, int i, int j) { store(at(piece, i, j), x); });
}

void to_tile(const WinogradPoints& from, int64_t count, const ImagePiece& y) {
  const bool whole = is_whole(y, tile);
  Copy copy;
  for_each_vector(y, from, count, [&](const ImagePiece& piece, const WinogradPoints& points) {
    if (whole) return to_whole(points, piece);
    to_whole(points, copy.piece());
    copy.for_each(piece, [](float* to, const float* element) {
      Floats x;
      load(x, element), store(to, x);
    });
  });
}

void from_kernels(const float* w, int64_t distance, bool flipped, int64_t count, const WinogradPoints& to) {
  WinogradPoints points = to;
  for (int64_t c = 0; c < count; c += lanes, w += lanes * distance, points.data += lanes) {
    float gathered[kernel * kernel][lanes];
    for (int lane = 0; lane < lanes; ++lane) {
      UNROLL
      for (int k = 0; k < kernel * kernel; ++k) gathered[k][lane] = w[lane * distance + (flipped ? kernel * kernel - 1 - k : k)];
    }
    transform(
        KernelPoints(), [&](Floats& x, int i, int j) { load(x, gathered[i * kernel + j]); },
        [&](const Floats& x, int i, int j) { store(at(points, i, j), x); });
  }
}

void to_kernels(const WinogradPoints& from, int64_t count, float* dw, int64_t distance) {
  WinogradPoints points = from;
  for (int64_t c = 0; c < count; c += lanes, dw += lanes * distance, points.data += lanes) {
    float scattered[kernel * kernel][lanes];
    transform(
        KernelValues(), [&](Floats& x, int i, int j) { load(x, at(points, i, j)); },
        [&](const Floats& x, int i, int j) { store(scattered[i * kernel + j], x); });
    for (int lane = 0; lane < lanes; ++lane) {
      UNROLL
      for (int k = 0; k < kernel * kernel; ++k) dw[lane * distance + k] = scattered[k][lane];
    }
  }
}

#undef UNROLL
#undef INLINE

constexpr WinogradTiles all_tiles{from_window, from_tile, to_tile, from_kernels, to_kernels};

}  // namespace
}  // namespace weft::cpu
