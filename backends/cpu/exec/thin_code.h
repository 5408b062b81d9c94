// The code of ThinKernels, compiled once for each instruction set by the file that includes this. All of it stands in a nameless
// namespace, and it calls no function that another file might have compiled too: a processor may lack what it was compiled for.

#include <cstdint>

#include "weft/backends/cpu/exec/intrinsics.h"
#include "weft/backends/cpu/exec/thin_kernels.h"

namespace weft::cpu {
namespace {

#include "weft/backends/cpu/exec/vectors_code.h"

/// The first `count` elements; behind them zeros.
INLINE void load(Floats& x, const float* from, int64_t count) {
  if (count == lanes) return load(x, from);
#if defined(__AVX512F__)
  x = reinterpret_cast<Floats>(_mm512_maskz_loadu_ps(static_cast<__mmask16>((1U << count) - 1), from));
#else
  float part[lanes] = {};
  for (int64_t i = 0; i < count; ++i) part[i] = from[i];
  load(x, part);
#endif
}

INLINE void store(float* to, const Floats& x, int64_t count) {
  if (count == lanes) return store(to, x);
#if defined(__AVX512F__)
  _mm512_mask_storeu_ps(to, static_cast<__mmask16>((1U << count) - 1), reinterpret_cast<__m512>(x));
#else
  float part[lanes];
  store(part, x);
  for (int64_t i = 0; i < count; ++i) to[i] = part[i];
#endif
}

/// Sums of four neighbours apart by a quarter of the vector.
INLINE __m128 quarter(const Floats& x) {
#if defined(__AVX512F__)
  const auto all = reinterpret_cast<__m512>(x);
  const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(all), _mm512_extractf32x8_ps(all, 1));
  return _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
#elif defined(__AVX2__)
  const auto all = reinterpret_cast<__m256>(x);
  return _mm_add_ps(_mm256_castps256_ps128(all), _mm256_extractf128_ps(all, 1));
#else
  return reinterpret_cast<__m128>(x);
#endif
}

/// The sums of all lanes of each.
INLINE __m128 sums_of(const Floats& x0, const Floats& x1, const Floats& x2, const Floats& x3) {
  return _mm_hadd_ps(_mm_hadd_ps(quarter(x0), quarter(x1)), _mm_hadd_ps(quarter(x2), quarter(x3)));
}

// ---- dots ----

constexpr int many_at_once = 4;
constexpr int few_at_once = lanes == 16 ? 4 : 2;  // their sums stay in registers, of which there are 32 or 16

/// Rows of `few` by some of `many`, four or one: the sums of each are added up in the same order.
template <int rows, int columns>
void dot_block(const ThinDots& p, int64_t i, int64_t j) {
  const float *x = p.few + i * p.few_row, *y = p.many + j * p.many_row;
  Floats sums[rows][columns] = {};
  const auto add = [&](int64_t at, int64_t count) __attribute__((always_inline)) {
    Floats v[columns];
#pragma GCC unroll 4
    for (int c = 0; c < columns; ++c) load(v[c], y + c * p.many_row + at, count);
#pragma GCC unroll 4
    for (int r = 0; r < rows; ++r) {
      Floats u;
      load(u, x + r * p.few_row + at, count);
#pragma GCC unroll 4
      for (int c = 0; c < columns; ++c) sums[r][c] += u * v[c];
    }
  };
  int64_t at = 0;
  for (; at + lanes <= p.k; at += lanes) add(at, lanes);
  if (at < p.k) add(at, p.k - at);
  constexpr int last = columns - 1;
#pragma GCC unroll 4
  for (int r = 0; r < rows; ++r) {
    float four[many_at_once];
    _mm_storeu_ps(four, sums_of(sums[r][0], sums[r][last / 3], sums[r][last * 2 / 3], sums[r][last]));
    for (int c = 0; c < columns; ++c) {
      const int64_t place = (i + r) * p.result_few + (j + c) * p.result_many;
      float sum = four[c];
      if (p.addend) sum += p.addend[place];
      if (p.bias) sum += p.bias[(i + r) * p.bias_few + (j + c) * p.bias_many];
      p.result[place] = sum;
    }
  }
}

template <int columns>
void dots_of(const ThinDots& p, int64_t j) {
  int64_t i = 0;
  for (; i + few_at_once <= p.few_rows; i += few_at_once) dot_block<few_at_once, columns>(p, i, j);
  if (i + 2 <= p.few_rows) dot_block<2, columns>(p, i, j), i += 2;
  if (i < p.few_rows) dot_block<1, columns>(p, i, j);
}

void dots(const ThinDots& p) {
  int64_t j = 0;
  for (; j + many_at_once <= p.many_rows; j += many_at_once) dots_of<many_at_once>(p, j);
  for (; j < p.many_rows; ++j) dots_of<1>(p, j);
}

// ---- sums ----

/// Columns that are taken together: of some rows of b and of the result they stay in the first cache.
constexpr int64_t block_columns = 1024;

/// What an element of the result starts from.
template <bool first>
INLINE void start(Floats& x, const ThinSums& p, const float* result, const float* addend, int64_t j, int64_t count) {
  if constexpr (!first) return load(x, result + j, count);
  x = Floats{};
  if (addend) load(x, addend + j, count);
  if (p.bias) {
    Floats more;
    load(more, p.bias + j, count);
    x += more;
  }
}

/// Rows of the result plus so many products, over the columns from `begin` to `end` - 1.
template <int rows, int depth, bool first>
void add_products(const ThinSums& p, int64_t i, int64_t at, int64_t begin, int64_t end) {
  float factors[rows][depth];
  for (int r = 0; r < rows; ++r)
    for (int d = 0; d < depth; ++d) factors[r][d] = p.a[(i + r) * p.a_row + (at + d) * p.a_column];
  const float* b = p.b + at * p.b_row;
  float* result = p.result + i * p.result_row;
  const float* addend = p.addend ? p.addend + i * p.result_row : nullptr;
  const auto add = [&](int64_t j, int64_t count) __attribute__((always_inline)) {
    Floats v[depth];
#pragma GCC unroll 4
    for (int d = 0; d < depth; ++d) load(v[d], b + d * p.b_row + j, count);
#pragma GCC unroll 4
    for (int r = 0; r < rows; ++r) {
      Floats x;
      start<first>(x, p, result + r * p.result_row, addend ? addend + r * p.result_row : nullptr, j, count);
#pragma GCC unroll 4
      for (int d = 0; d < depth; ++d) x += factors[r][d] * v[d];
      store(result + r * p.result_row + j, x, count);
    }
  };
  int64_t j = begin;
  for (; j + lanes <= end; j += lanes) add(j, lanes);
  if (j < end) add(j, end - j);
}

template <int rows, bool first>
void add_products(const ThinSums& p, int64_t i, int64_t at, int depth, int64_t begin, int64_t end) {
  switch (depth) {
    case 1: return add_products<rows, 1, first>(p, i, at, begin, end);
    case 2: return add_products<rows, 2, first>(p, i, at, begin, end);
    case 3: return add_products<rows, 3, first>(p, i, at, begin, end);
    default: return add_products<rows, 4, first>(p, i, at, begin, end);
  }
}

template <int rows>
void add_products(const ThinSums& p, int64_t i, int64_t at, int64_t begin, int64_t end) {
  constexpr int64_t most = 4;
  const int depth = static_cast<int>(p.k - at < most ? p.k - at : most);
  if (at == 0) add_products<rows, true>(p, i, at, depth, begin, end);
  else add_products<rows, false>(p, i, at, depth, begin, end);
}

void add_products(const ThinSums& p, int64_t i, int64_t rows, int64_t at, int64_t begin, int64_t end) {
  switch (rows) {
    case 1: return add_products<1>(p, i, at, begin, end);
    case 2: return add_products<2>(p, i, at, begin, end);
    case 3: return add_products<3>(p, i, at, begin, end);
    default: return add_products<4>(p, i, at, begin, end);
  }
}

void sums(const ThinSums& p) {
  constexpr int64_t together = 4;  // rows, and products
  const auto rows_at = [&](int64_t i) { return p.m - i < together ? p.m - i : together; };
  for (int64_t begin = 0; begin < p.n; begin += block_columns) {
    const int64_t end = begin + block_columns < p.n ? begin + block_columns : p.n;
    // What there is more of is gone through once.
    if (p.m < p.k)
      for (int64_t at = 0; at < p.k; at += together)
        for (int64_t i = 0; i < p.m; i += together) add_products(p, i, rows_at(i), at, begin, end);
    else
      for (int64_t i = 0; i < p.m; i += together)
        for (int64_t at = 0; at < p.k; at += together) add_products(p, i, rows_at(i), at, begin, end);
  }
}

}  // namespace
}  // namespace weft::cpu

#undef INLINE
