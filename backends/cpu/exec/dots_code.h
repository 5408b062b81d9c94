// The code of DotsKernels, compiled once for each instruction set by the file that includes this. All of it stands in a nameless
// namespace, and it calls no function that another file might have compiled too: a processor may lack what it was compiled for.

#include <cstdint>

#include "weft/backends/cpu/exec/dots_kernels.h"
#include "weft/backends/cpu/exec/intrinsics.h"

namespace weft::cpu {
namespace {

#include "weft/backends/cpu/exec/vectors_code.h"

#include "weft/backends/cpu/exec/part_vectors_code.h"

// A tile: sums of so many rows of each operand stay in registers, beside a vector of each row of `few` and one of `many`. There are 32
// registers, or 16.
constexpr int few_at_once = lanes == 8 ? 3 : 4;
constexpr int many_at_once = lanes == 16 ? 6 : lanes == 8 ? 4 : 2;

// A tile's rows of `many` stay in the first cache while all rows of a block of `few` pass by, and these in the second.
constexpr int64_t block_k = 1024, block_few = 64 << 10;  // elements

constexpr int64_t smaller(int64_t x, int64_t y) { return x < y ? x : y; }

/// The sums of all lanes of each.
INLINE __m128 sums_of(const Floats& x0, const Floats& x1, const Floats& x2, const Floats& x3) {
  constexpr int lower = 0x44, upper = 0xee;
#if defined(__AVX512F__)
  const auto y0 = reinterpret_cast<__m512>(x0), y1 = reinterpret_cast<__m512>(x1), y2 = reinterpret_cast<__m512>(x2),
             y3 = reinterpret_cast<__m512>(x3);
  const __m512 y01 = _mm512_add_ps(_mm512_unpacklo_ps(y0, y1), _mm512_unpackhi_ps(y0, y1)),
               y23 = _mm512_add_ps(_mm512_unpacklo_ps(y2, y3), _mm512_unpackhi_ps(y2, y3)),
               all = _mm512_add_ps(_mm512_shuffle_ps(y01, y23, lower), _mm512_shuffle_ps(y01, y23, upper));
  const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(all), _mm512_extractf32x8_ps(all, 1));
  return _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
#elif defined(__AVX2__)
  const auto y0 = reinterpret_cast<__m256>(x0), y1 = reinterpret_cast<__m256>(x1), y2 = reinterpret_cast<__m256>(x2),
             y3 = reinterpret_cast<__m256>(x3);
  const __m256 y01 = _mm256_add_ps(_mm256_unpacklo_ps(y0, y1), _mm256_unpackhi_ps(y0, y1)),
               y23 = _mm256_add_ps(_mm256_unpacklo_ps(y2, y3), _mm256_unpackhi_ps(y2, y3)),
               all = _mm256_add_ps(_mm256_shuffle_ps(y01, y23, lower), _mm256_shuffle_ps(y01, y23, upper));
  return _mm_add_ps(_mm256_castps256_ps128(all), _mm256_extractf128_ps(all, 1));
#else
  const auto y0 = reinterpret_cast<__m128>(x0), y1 = reinterpret_cast<__m128>(x1), y2 = reinterpret_cast<__m128>(x2),
             y3 = reinterpret_cast<__m128>(x3);
  const __m128 y01 = _mm_add_ps(_mm_unpacklo_ps(y0, y1), _mm_unpackhi_ps(y0, y1)),
               y23 = _mm_add_ps(_mm_unpacklo_ps(y2, y3), _mm_unpackhi_ps(y2, y3));
  return _mm_add_ps(_mm_shuffle_ps(y01, y23, lower), _mm_shuffle_ps(y01, y23, upper));
#endif
}

/// Rows i, i + 1, ... of `few` by rows j, j + 1, ... of `many`.
template <int few, int many>
void tile(const Dots& d, int64_t i, int64_t j) {
  const float *x = d.few + i * d.few_row, *y = d.many + j * d.many_row;
  const int64_t x_row = d.few_row, y_row = d.many_row;
  Floats sums[many][few] = {};
  const auto add = [&](int64_t at, int64_t count) __attribute__((always_inline)) {
    Floats u[few];
#pragma GCC unroll 4
    for (int f = 0; f < few; ++f) load(u[f], x + f * x_row + at, count);
#pragma GCC unroll 6
    for (int m = 0; m < many; ++m) {
      Floats v;
      load(v, y + m * y_row + at, count);
#pragma GCC unroll 4
      for (int f = 0; f < few; ++f) sums[m][f] += u[f] * v;
    }
  };
  int64_t at = 0;
  for (; at + lanes <= d.k; at += lanes) add(at, lanes);
  if (at < d.k) add(at, d.k - at);
  float all[many][4];
  constexpr int last = few - 1;
#pragma GCC unroll 6
  for (int m = 0; m < many; ++m)
    _mm_storeu_ps(all[m], sums_of(sums[m][0], sums[m][smaller(1, last)], sums[m][smaller(2, last)], sums[m][last]));
  const int64_t place = i * d.result_few + j * d.result_many;
  for (int f = 0; f < few; ++f)
    for (int m = 0; m < many; ++m) {
      const int64_t to = place + f * d.result_few + m * d.result_many;
      float sum = all[m][f];
      if (d.addend) sum += d.addend[to];
      if (d.bias) sum += d.bias[(i + f) * d.bias_few + (j + m) * d.bias_many];
      d.result[to] = sum;
    }
}

/// All rows of `few` by `many` ones.
template <int many>
void strip(const Dots& d, int64_t j) {
  int64_t i = 0;
  for (; i + few_at_once <= d.few_rows; i += few_at_once) tile<few_at_once, many>(d, i, j);
  const int64_t rest = d.few_rows - i;
  if (rest == 1) tile<1, many>(d, i, j);
  if (rest == 2) tile<2, many>(d, i, j);
  if constexpr (few_at_once > 3)
    if (rest == 3) tile<3, many>(d, i, j);
}

void block(const Dots& d) {
  int64_t j = 0;
  for (; j + many_at_once <= d.many_rows; j += many_at_once) strip<many_at_once>(d, j);
  if constexpr (many_at_once > 4)
    if (j + 4 <= d.many_rows) strip<4>(d, j), j += 4;
  if constexpr (many_at_once > 2)
    if (j + 2 <= d.many_rows) strip<2>(d, j), j += 2;
  if (j < d.many_rows) strip<1>(d, j);
}

void dots(const Dots& d) {
  // Blocks of k are alike.
  const int64_t blocks = (d.k + block_k - 1) / block_k, depth = ((d.k + blocks - 1) / blocks + lanes - 1) / lanes * lanes,
                rows = (block_few / depth + few_at_once - 1) / few_at_once * few_at_once;
  for (int64_t p = 0; p < d.k; p += depth)
    for (int64_t i = 0; i < d.few_rows; i += rows) {
      Dots part = d;
      part.few += i * d.few_row + p, part.many += p;
      part.few_rows = smaller(rows, d.few_rows - i), part.k = smaller(depth, d.k - p);
      part.result += i * d.result_few;
      if (p > 0) part.addend = part.result, part.bias = nullptr;
      else part.addend = d.addend ? d.addend + i * d.result_few : nullptr, part.bias = d.bias ? d.bias + i * d.bias_few : nullptr;
      block(part);
    }
}

}  // namespace
}  // namespace weft::cpu

#undef INLINE
