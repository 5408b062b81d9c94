// Tiles of 12 lines by 32: 24 registers of sums, two of vectors; the other operand is broadcast as it is read. Only what is marked
// AVX512 may be compiled for it: the processor may have none.

#include "weft/backends/cpu/exec/gemm_kernels.h"
#include "weft/backends/cpu/exec/intrinsics.h"

namespace weft::cpu {
namespace {

#define AVX512 __attribute__((target("avx512f")))
#define AVX512_INLINE AVX512 __attribute__((always_inline)) inline

constexpr int most_lines = 12, vector = 16, panel = 2 * vector;

/// On a Zen 4, whole steps are up to 5 % faster with tiles below, and up to 8 % with the library above, where operands leave the second
/// cache. That is so of large extents alone: of 64 x 512 x 4096 and its two gradients, parts for two threads take 0.7, 0.75 and 1.2 of
/// the library's time; with half as many rows the first takes 0.55.
constexpr int64_t most_products = 1 << 25;

/// The first `count` elements of a vector, all of them where there are more.
AVX512_INLINE __mmask16 first(int64_t count) { return static_cast<__mmask16>(count >= vector ? 0xffff : (1 << count) - 1); }

using Register = __m512;
AVX512_INLINE Register none() { return _mm512_setzero_ps(); }
AVX512_INLINE Register load_all(const float* from) { return _mm512_loadu_ps(from); }
AVX512_INLINE Register repeated(const float* from) { return _mm512_set1_ps(*from); }
AVX512_INLINE Register multiply_add(Register x, Register y, Register sum) { return _mm512_fmadd_ps(x, y, sum); }

#define INLINE AVX512_INLINE
#include "weft/backends/cpu/exec/gemm_tile_sums.h"
#undef INLINE

/// Writes vector j of each line: `width` elements of it, at most 16.
template <int j, int lines, int vectors>
AVX512_INLINE void put_rows(const Sums<lines, vectors>& sums, const GemmTile& tile, int64_t width) {
  const __mmask16 mask = first(width);
  const __m512 bias = tile.bias ? _mm512_maskz_loadu_ps(mask, tile.bias + j * vector) : _mm512_setzero_ps();
#define PUT(i)                                                                            \
  if constexpr (lines > i) {                                                              \
    const int64_t at = i * tile.row + j * vector;                                         \
    __m512 x = sums.at[i][j];                                                             \
    if (tile.addend) x = _mm512_add_ps(x, _mm512_maskz_loadu_ps(mask, tile.addend + at)); \
    if (tile.bias) x = _mm512_add_ps(x, bias);                                            \
    _mm512_mask_storeu_ps(tile.result + at, mask, x);                                     \
  }
  EACH_LINE(PUT)
#undef PUT
}

/// Rows become columns.
AVX512_INLINE void transpose(__m512 (&x)[vector]) {
  __m512 t[vector];
  // Pairs of rows, then fours, are woven in each quarter of a register; then the quarters change places.
#pragma GCC unroll 16
  for (int i = 0; i < vector; i += 2) t[i] = _mm512_unpacklo_ps(x[i], x[i + 1]), t[i + 1] = _mm512_unpackhi_ps(x[i], x[i + 1]);
  constexpr int lower = 0x44, upper = 0xee;
#pragma GCC unroll 16
  for (int i = 0; i < vector; i += 4)
#pragma GCC unroll 2
    for (int half = 0; half < 2; ++half) {
      x[i + 2 * half] = _mm512_shuffle_ps(t[i + half], t[i + 2 + half], lower);
      x[i + 2 * half + 1] = _mm512_shuffle_ps(t[i + half], t[i + 2 + half], upper);
    }
  constexpr int even = 0x88, odd = 0xdd;  // of two registers' quarters
#pragma GCC unroll 4
  for (int c = 0; c < 4; ++c) {
    t[c] = _mm512_shuffle_f32x4(x[c], x[4 + c], even), t[4 + c] = _mm512_shuffle_f32x4(x[c], x[4 + c], odd);
    t[8 + c] = _mm512_shuffle_f32x4(x[8 + c], x[12 + c], even), t[12 + c] = _mm512_shuffle_f32x4(x[8 + c], x[12 + c], odd);
  }
#pragma GCC unroll 4
  for (int c = 0; c < 4; ++c) {
    x[c] = _mm512_shuffle_f32x4(t[c], t[8 + c], even), x[8 + c] = _mm512_shuffle_f32x4(t[c], t[8 + c], odd);
    x[4 + c] = _mm512_shuffle_f32x4(t[4 + c], t[12 + c], even), x[12 + c] = _mm512_shuffle_f32x4(t[4 + c], t[12 + c], odd);
  }
}

/// Writes vector j of each line as columns: at most 16 rows from 16 j on.
template <int j, int lines, int vectors>
AVX512_INLINE void put_columns(const Sums<lines, vectors>& sums, const GemmTile& tile, int64_t width) {
  const __m512 zero = _mm512_setzero_ps();
  __m512 rows[vector];
#pragma GCC unroll 16
  for (int i = lines; i < vector; ++i) rows[i] = zero;
#define TAKE(i) \
  if constexpr (lines > i) rows[i] = sums.at[i][j];
  EACH_LINE(TAKE)
#undef TAKE
  transpose(rows);
  const __mmask16 mask = first(lines);
  const __m512 bias = tile.bias ? _mm512_maskz_loadu_ps(mask, tile.bias) : zero;
#define PUT(i)                                                                            \
  if (j * vector + i < width) {                                                           \
    const int64_t at = (j * vector + i) * tile.row;                                       \
    __m512 x = rows[i];                                                                   \
    if (tile.addend) x = _mm512_add_ps(x, _mm512_maskz_loadu_ps(mask, tile.addend + at)); \
    if (tile.bias) x = _mm512_add_ps(x, bias);                                            \
    _mm512_mask_storeu_ps(tile.result + at, mask, x);                                     \
  }
  EACH_LINE(PUT) PUT(12) PUT(13) PUT(14) PUT(15)
#undef PUT
}

template <bool transposed, int lines, int vectors>
AVX512 void tile_of(int64_t k, const GemmOperand& broadcast, const GemmOperand& operand, const GemmTile& tile, int64_t width) {
  if constexpr (!transposed)
    for (int i = 0; i < lines; ++i) {
      const float* row = tile.result + i * tile.row;
      for (int j = 0; j < vectors; ++j) _mm_prefetch(row + j * vector, _MM_HINT_T0);
    }
  const Sums<lines, vectors> sums = multiply<lines, vectors>(k, broadcast, operand);
  if constexpr (!transposed) {
    put_rows<0>(sums, tile, width);
    if constexpr (vectors > 1) put_rows<1>(sums, tile, width - vector);
  } else {
    put_columns<0>(sums, tile, width);
    if constexpr (vectors > 1) put_columns<1>(sums, tile, width);
  }
}

// Rows that are packed lie apart, so that the processor sees no stream to follow: those to come are asked for.
constexpr int64_t rows_ahead = 8;

AVX512 void pack_vectors(const GemmOperand& from, int64_t lines, int64_t k, float* to) {
  constexpr int64_t together = 4;  // panels: so much of a row is read in one piece
  for (int64_t begin = 0; begin < lines; begin += together * panel) {
    const int64_t end = begin + together * panel < lines ? begin + together * panel : lines;
    for (int64_t p = 0; p < k; ++p)
      for (int64_t i = begin; i < end; i += panel) {
        const float* x = from.data + p * from.depth + i;
        float* y = to + i * k + p * panel;
        _mm_prefetch(x + rows_ahead * from.depth, _MM_HINT_T0);
        _mm512_storeu_ps(y, _mm512_maskz_loadu_ps(first(end - i), x));
        const int64_t right = end - i - vector;
        _mm512_storeu_ps(y + vector, right > 0 ? _mm512_maskz_loadu_ps(first(right), x + vector) : _mm512_setzero_ps());
      }
  }
}

/// Rows that are missing are 0.
AVX512_INLINE void load_block(const GemmOperand& from, int64_t lines, int64_t k, __m512 (&block)[vector]) {
  const __mmask16 mask = first(k);
  for (int i = 0; i < vector; ++i) block[i] = i < lines ? _mm512_maskz_loadu_ps(mask, from.data + i * from.line) : _mm512_setzero_ps();
}

AVX512 void pack_vectors_by_lines(const GemmOperand& from, int64_t lines, int64_t k, float* to) {
  for (int64_t line = 0; line < lines; line += panel, to += panel * k)
    for (int64_t p = 0; p < k; p += vector)
      for (int64_t half = 0; half < panel; half += vector) {
        __m512 block[vector];
        const GemmOperand part{from.data + (line + half) * from.line + p, from.line, 1};
        load_block(part, lines - line - half, k - p, block);
        transpose(block);
        const int64_t rows = k - p < vector ? k - p : vector;
        for (int i = 0; i < vector; ++i)
          if (i < rows) _mm512_storeu_ps(to + (p + i) * panel + half, block[i]);
      }
}

AVX512 void pack_broadcasts(const GemmOperand& from, int64_t lines, int64_t k, float* to) {
  for (int64_t p = 0; p < k; ++p) {
    const float* x = from.data + p * from.depth;
    float* y = to + p * most_lines;
    for (int64_t i = 0; i < lines; i += vector) _mm_prefetch(x + rows_ahead * from.depth + i, _MM_HINT_T0);
    for (int64_t i = 0; i < lines; i += most_lines, y += most_lines * k) {
      const __mmask16 mask = first(lines - i < most_lines ? lines - i : most_lines);
      _mm512_mask_storeu_ps(y, mask, _mm512_maskz_loadu_ps(mask, x + i));
    }
  }
}

}  // namespace

#define TILES(transposed, vectors)                                                                                                       \
  {tile_of<transposed, 1, vectors>, tile_of<transposed, 2, vectors>,  tile_of<transposed, 3, vectors>,  tile_of<transposed, 4, vectors>, \
   tile_of<transposed, 5, vectors>, tile_of<transposed, 6, vectors>,  tile_of<transposed, 7, vectors>,  tile_of<transposed, 8, vectors>, \
   tile_of<transposed, 9, vectors>, tile_of<transposed, 10, vectors>, tile_of<transposed, 11, vectors>, tile_of<transposed, 12, vectors>}

const GemmKernels avx512_gemm_kernels{"weft:avx512",
                                      most_lines,
                                      panel,
                                      most_products,
                                      {{TILES(false, 1), TILES(false, 2)}, {TILES(true, 1), TILES(true, 2)}},
                                      pack_vectors,
                                      pack_vectors_by_lines,
                                      pack_broadcasts};

}  // namespace weft::cpu
