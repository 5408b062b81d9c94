// Tiles of 6 lines by 16: 12 registers of sums, two of vectors and one broadcast. Only what is marked AVX2 may be compiled for it:
// the processor may have none.

#include <immintrin.h>

#include "weft/backends/cpu/exec/gemm_kernels.h"

namespace weft::cpu {
namespace {

#define AVX2 __attribute__((target("avx2,fma")))
#define AVX2_INLINE AVX2 __attribute__((always_inline)) inline

constexpr int most_lines = 6, vector = 8, panel = 2 * vector;

using Register = __m256;
AVX2_INLINE Register none() { return _mm256_setzero_ps(); }
AVX2_INLINE Register load_all(const float* from) { return _mm256_loadu_ps(from); }
AVX2_INLINE Register repeated(const float* from) { return _mm256_broadcast_ss(from); }
AVX2_INLINE Register multiply_add(Register x, Register y, Register sum) { return _mm256_fmadd_ps(x, y, sum); }

#define INLINE AVX2_INLINE
#include "weft/backends/cpu/exec/gemm_tile_sums.h"
#undef INLINE

AVX2_INLINE __m128 load_two(const float* from) { return _mm_castpd_ps(_mm_load_sd(reinterpret_cast<const double*>(from))); }

// Where `count` elements are read or written, at most 8, and no more.

template <int count>
AVX2_INLINE __m256 load(const float* from) {
  if constexpr (count == vector) return _mm256_loadu_ps(from);
  __m128 low = _mm_setzero_ps(), high = low;
  if constexpr (count >= 4) low = _mm_loadu_ps(from);
  if constexpr (count == 6) high = load_two(from + 4);
  if constexpr (count == 5) high = _mm_load_ss(from + 4);
  if constexpr (count == 3) low = _mm_movelh_ps(load_two(from), _mm_load_ss(from + 2));
  if constexpr (count == 2) low = load_two(from);
  if constexpr (count == 1) low = _mm_load_ss(from);
  return _mm256_set_m128(high, low);
}

template <int count>
AVX2_INLINE void store(float* to, __m256 x) {
  const __m128 low = _mm256_castps256_ps128(x), high = _mm256_extractf128_ps(x, 1);
  if constexpr (count >= 4) _mm_storeu_ps(to, low);
  if constexpr (count == 6) _mm_storel_pi(reinterpret_cast<__m64*>(to + 4), high);
  if constexpr (count == 5) _mm_store_ss(to + 4, high);
  if constexpr (count == 2 || count == 3) _mm_storel_pi(reinterpret_cast<__m64*>(to), low);
  if constexpr (count == 3) _mm_store_ss(to + 2, _mm_movehl_ps(low, low));
  if constexpr (count == 1) _mm_store_ss(to, low);
}

/// Rows become columns.
AVX2_INLINE void transpose(__m256 (&x)[vector]) {
  const __m256 t0 = _mm256_unpacklo_ps(x[0], x[1]), t1 = _mm256_unpackhi_ps(x[0], x[1]), t2 = _mm256_unpacklo_ps(x[2], x[3]),
               t3 = _mm256_unpackhi_ps(x[2], x[3]), t4 = _mm256_unpacklo_ps(x[4], x[5]), t5 = _mm256_unpackhi_ps(x[4], x[5]),
               t6 = _mm256_unpacklo_ps(x[6], x[7]), t7 = _mm256_unpackhi_ps(x[6], x[7]);
  constexpr int lower = 0x44, upper = 0xee;
  const __m256 u0 = _mm256_shuffle_ps(t0, t2, lower), u1 = _mm256_shuffle_ps(t0, t2, upper), u2 = _mm256_shuffle_ps(t1, t3, lower),
               u3 = _mm256_shuffle_ps(t1, t3, upper), u4 = _mm256_shuffle_ps(t4, t6, lower), u5 = _mm256_shuffle_ps(t4, t6, upper),
               u6 = _mm256_shuffle_ps(t5, t7, lower), u7 = _mm256_shuffle_ps(t5, t7, upper);
  constexpr int first_halves = 0x20, second_halves = 0x31;
  x[0] = _mm256_permute2f128_ps(u0, u4, first_halves), x[1] = _mm256_permute2f128_ps(u1, u5, first_halves);
  x[2] = _mm256_permute2f128_ps(u2, u6, first_halves), x[3] = _mm256_permute2f128_ps(u3, u7, first_halves);
  x[4] = _mm256_permute2f128_ps(u0, u4, second_halves), x[5] = _mm256_permute2f128_ps(u1, u5, second_halves);
  x[6] = _mm256_permute2f128_ps(u2, u6, second_halves), x[7] = _mm256_permute2f128_ps(u3, u7, second_halves);
}

/// Writes the columns of a tile that is narrower than its vectors.
template <int lines, int vectors>
AVX2_INLINE void put_narrow_rows(const Sums<lines, vectors>& sums, const GemmTile& tile, int64_t width) {
  alignas(32) float all[lines][vectors * vector];
#define SPILL(i)                                                                \
  if constexpr (lines > i) {                                                    \
    _mm256_store_ps(all[i], sums.at[i][0]);                                     \
    if constexpr (vectors > 1) _mm256_store_ps(all[i] + vector, sums.at[i][1]); \
  }
  EACH_LINE(SPILL)
#undef SPILL
  for (int i = 0; i < lines; ++i)
    for (int64_t j = 0; j < width; ++j) {
      float x = all[i][j];
      if (tile.addend) x += tile.addend[i * tile.row + j];
      if (tile.bias) x += tile.bias[j];
      tile.result[i * tile.row + j] = x;
    }
}

template <int lines, int vectors>
AVX2_INLINE void put_rows(Sums<lines, vectors>& sums, const GemmTile& tile, int64_t width) {
  if (width != vectors * vector) return put_narrow_rows(sums, tile, width);
#define ADD(i, low, high)                                                          \
  if constexpr (lines > i) {                                                       \
    sums.at[i][0] = _mm256_add_ps(sums.at[i][0], low);                             \
    if constexpr (vectors > 1) sums.at[i][1] = _mm256_add_ps(sums.at[i][1], high); \
  }
  if (tile.addend) {
#define ADD_ADDEND(i) ADD(i, _mm256_loadu_ps(tile.addend + i * tile.row), _mm256_loadu_ps(tile.addend + i * tile.row + vector))
    EACH_LINE(ADD_ADDEND)
#undef ADD_ADDEND
  }
  if (tile.bias) {
    const __m256 low = _mm256_loadu_ps(tile.bias), high = vectors > 1 ? _mm256_loadu_ps(tile.bias + vector) : low;
#define ADD_BIAS(i) ADD(i, low, high)
    EACH_LINE(ADD_BIAS)
#undef ADD_BIAS
  }
#undef ADD
#define STORE(i)                                                                                     \
  if constexpr (lines > i) {                                                                         \
    _mm256_storeu_ps(tile.result + i * tile.row, sums.at[i][0]);                                     \
    if constexpr (vectors > 1) _mm256_storeu_ps(tile.result + i * tile.row + vector, sums.at[i][1]); \
  }
  EACH_LINE(STORE)
#undef STORE
}

/// Writes vector j of each line as columns: at most 8 rows from 8 j on.
template <int j, int lines, int vectors>
AVX2_INLINE void put_columns(const Sums<lines, vectors>& sums, const GemmTile& tile, int64_t width) {
  __m256 rows[vector];
  const __m256 zero = _mm256_setzero_ps();
#pragma GCC unroll 8
  for (int i = lines; i < vector; ++i) rows[i] = zero;
#define TAKE(i) \
  if constexpr (lines > i) rows[i] = sums.at[i][j];
  EACH_LINE(TAKE)
#undef TAKE
  transpose(rows);
  const __m256 bias = tile.bias ? load<lines>(tile.bias) : zero;
#define PUT(i)                                                            \
  if (j * vector + i < width) {                                           \
    const int64_t at = (j * vector + i) * tile.row;                       \
    __m256 x = rows[i];                                                   \
    if (tile.addend) x = _mm256_add_ps(x, load<lines>(tile.addend + at)); \
    if (tile.bias) x = _mm256_add_ps(x, bias);                            \
    store<lines>(tile.result + at, x);                                    \
  }
  PUT(0) PUT(1) PUT(2) PUT(3) PUT(4) PUT(5) PUT(6) PUT(7)
#undef PUT
}

template <bool transposed, int lines, int vectors>
AVX2 void tile_of(int64_t k, const GemmOperand& broadcast, const GemmOperand& operand, const GemmTile& tile, int64_t width) {
  if constexpr (!transposed)
    for (int i = 0; i < lines; ++i) {
      const float* row = tile.result + i * tile.row;
      _mm_prefetch(row, _MM_HINT_T0);
      _mm_prefetch(row + vectors * vector - 1, _MM_HINT_T0);
    }
  Sums<lines, vectors> sums = multiply<lines, vectors>(k, broadcast, operand);
  if constexpr (!transposed) {
    put_rows(sums, tile, width);
  } else {
    put_columns<0>(sums, tile, width);
    if constexpr (vectors > 1) put_columns<1>(sums, tile, width);
  }
}

// Rows that are packed lie apart, so that the processor sees no stream to follow: those to come are asked for.
constexpr int64_t rows_ahead = 8, line_elements = 16;

/// The last panel, of fewer lines than a panel has.
void pack_rest(const GemmOperand& from, int64_t lines, int64_t k, float* to) {
  for (int64_t p = 0; p < k; ++p)
    for (int64_t i = 0; i < panel; ++i) to[p * panel + i] = i < lines ? from.data[i * from.line + p * from.depth] : 0;
}

AVX2 void pack_vectors(const GemmOperand& from, int64_t lines, int64_t k, float* to) {
  constexpr int64_t together = 8;  // panels: so much of a row is read in one piece
  const int64_t whole = lines / panel;
  for (int64_t first = 0; first < whole; first += together) {
    const int64_t end = first + together < whole ? first + together : whole;
    for (int64_t p = 0; p < k; ++p)
      for (int64_t i = first; i < end; ++i) {
        const float* x = from.data + p * from.depth + i * panel;
        float* y = to + (i * k + p) * panel;
        _mm_prefetch(x + rows_ahead * from.depth, _MM_HINT_T0);
        _mm256_storeu_ps(y, _mm256_loadu_ps(x));
        _mm256_storeu_ps(y + vector, _mm256_loadu_ps(x + vector));
      }
  }
  if (lines % panel > 0) pack_rest({from.data + whole * panel, 1, from.depth}, lines % panel, k, to + whole * panel * k);
}

AVX2 void pack_vectors_by_lines(const GemmOperand& from, int64_t lines, int64_t k, float* to) {
  const int64_t blocks = k / vector * vector;
  int64_t line = 0;
  for (; line + panel <= lines; line += panel, to += panel * k) {
    const float* x = from.data + line * from.line;
    for (int64_t p = 0; p < blocks; p += vector)
      for (int64_t half = 0; half < panel; half += vector) {
        __m256 block[vector];
        for (int i = 0; i < vector; ++i) block[i] = _mm256_loadu_ps(x + (half + i) * from.line + p);
        transpose(block);
        for (int i = 0; i < vector; ++i) _mm256_storeu_ps(to + (p + i) * panel + half, block[i]);
      }
    pack_rest({x + blocks, from.line, 1}, panel, k - blocks, to + blocks * panel);
  }
  if (line < lines) pack_rest({from.data + line * from.line, from.line, 1}, lines - line, k, to);
}

AVX2 void pack_broadcasts(const GemmOperand& from, int64_t lines, int64_t k, float* to) {
  const int64_t whole = lines / most_lines, rest = lines % most_lines;
  for (int64_t p = 0; p < k; ++p) {
    const float* x = from.data + p * from.depth;
    float* y = to + p * most_lines;
    for (int64_t i = 0; i < lines; i += line_elements) _mm_prefetch(x + rows_ahead * from.depth + i, _MM_HINT_T0);
    for (int64_t i = 0; i < whole; ++i, x += most_lines, y += most_lines * k) store<most_lines>(y, load<most_lines>(x));
    for (int64_t i = 0; i < rest; ++i) y[i] = x[i];
  }
}

}  // namespace

#define TILES(transposed, vectors)                                                                    \
  {tile_of<transposed, 1, vectors>, tile_of<transposed, 2, vectors>, tile_of<transposed, 3, vectors>, \
   tile_of<transposed, 4, vectors>, tile_of<transposed, 5, vectors>, tile_of<transposed, 6, vectors>}

const GemmKernels avx2_gemm_kernels{
    "weft:avx2",           most_lines,     panel, 0, {{TILES(false, 1), TILES(false, 2)}, {TILES(true, 1), TILES(true, 2)}}, pack_vectors,
    pack_vectors_by_lines, pack_broadcasts};

}  // namespace weft::cpu
