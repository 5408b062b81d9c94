// The code of ThinKernels, compiled once for each instruction set by the file that includes this. All of it stands in a nameless
// namespace, and it calls no function that another file might have compiled too: a processor may lack what it was compiled for.

// GCC 12's header reads registers that it leaves undefined on purpose.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>

#include <cstdint>

#include "weft/backends/cpu/exec/thin_kernels.h"

namespace weft::cpu {
namespace {

#include "weft/backends/cpu/exec/vectors_code.h"

/// The first `count` elements, fewer than a vector has; behind them zeros.
INLINE void load_first(Floats& x, const float* from, int64_t count) {
#if defined(__AVX512F__)
  x = reinterpret_cast<Floats>(_mm512_maskz_loadu_ps(static_cast<__mmask16>((1U << count) - 1), from));
#else
  float part[lanes] = {};
  for (int64_t i = 0; i < count; ++i) part[i] = from[i];
  load(x, part);
#endif
}

INLINE void store_first(float* to, const Floats& x, int64_t count) {
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

/// Rows of `few` by four of `many`.
template <int rows>
void dot_block(const ThinDots& p, int64_t i, int64_t j) {
  const float *x = p.few + i * p.few_row, *y = p.many + j * p.many_row;
  Floats sums[rows][many_at_once] = {};
  int64_t at = 0;
  for (; at + lanes <= p.k; at += lanes) {
    Floats v[many_at_once];
#pragma GCC unroll 4
    for (int c = 0; c < many_at_once; ++c) load(v[c], y + c * p.many_row + at);
#pragma GCC unroll 4
    for (int r = 0; r < rows; ++r) {
      Floats u;
      load(u, x + r * p.few_row + at);
#pragma GCC unroll 4
      for (int c = 0; c < many_at_once; ++c) sums[r][c] += u * v[c];
    }
  }
  if (const int64_t rest = p.k - at; rest > 0) {
    Floats v[many_at_once];
#pragma GCC unroll 4
    for (int c = 0; c < many_at_once; ++c) load_first(v[c], y + c * p.many_row + at, rest);
#pragma GCC unroll 4
    for (int r = 0; r < rows; ++r) {
      Floats u;
      load_first(u, x + r * p.few_row + at, rest);
#pragma GCC unroll 4
      for (int c = 0; c < many_at_once; ++c) sums[r][c] += u * v[c];
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < rows; ++r) {
    float four[many_at_once];
    _mm_storeu_ps(four, sums_of(sums[r][0], sums[r][1], sums[r][2], sums[r][3]));
    for (int c = 0; c < many_at_once; ++c) {
      const int64_t place = (i + r) * p.result_few + (j + c) * p.result_many;
      float sum = four[c];
      if (p.addend) sum += p.addend[place];
      if (p.bias) sum += p.bias[(i + r) * p.bias_few + (j + c) * p.bias_many];
      p.result[place] = sum;
    }
  }
}

/// The same for one of `many`, in the same order.
void dot_one(const ThinDots& p, int64_t i, int64_t j) {
  const float *x = p.few + i * p.few_row, *y = p.many + j * p.many_row;
  Floats sum = {}, u, v;
  int64_t at = 0;
  for (; at + lanes <= p.k; at += lanes) {
    load(u, x + at), load(v, y + at);
    sum += u * v;
  }
  if (at < p.k) {
    load_first(u, x + at, p.k - at), load_first(v, y + at, p.k - at);
    sum += u * v;
  }
  float total = _mm_cvtss_f32(sums_of(sum, sum, sum, sum));
  const int64_t place = i * p.result_few + j * p.result_many;
  if (p.addend) total += p.addend[place];
  if (p.bias) total += p.bias[i * p.bias_few + j * p.bias_many];
  p.result[place] = total;
}

void dots(const ThinDots& p) {
  int64_t j = 0;
  for (; j + many_at_once <= p.many_rows; j += many_at_once) {
    int64_t i = 0;
    for (; i + few_at_once <= p.few_rows; i += few_at_once) dot_block<few_at_once>(p, i, j);
    if (i + 2 <= p.few_rows) dot_block<2>(p, i, j), i += 2;
    if (i < p.few_rows) dot_block<1>(p, i, j);
  }
  for (; j < p.many_rows; ++j)
    for (int64_t i = 0; i < p.few_rows; ++i) dot_one(p, i, j);
}

// ---- sums ----

/// Columns that are taken together: of some rows of b and of the result they stay in the first cache.
constexpr int64_t block_columns = 1024;

/// What an element of the result starts from.
template <bool first>
INLINE void start(Floats& x, const ThinSums& p, const float* result, const float* addend, int64_t j, int64_t count) {
  if constexpr (!first) {
    if (count == lanes) load(x, result + j);
    else load_first(x, result + j, count);
    return;
  }
  x = Floats{};
  Floats more;
  if (addend) {
    if (count == lanes) load(x, addend + j);
    else load_first(x, addend + j, count);
  }
  if (p.bias) {
    if (count == lanes) load(more, p.bias + j);
    else load_first(more, p.bias + j, count);
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
    for (int d = 0; d < depth; ++d)
      if (count == lanes) load(v[d], b + d * p.b_row + j);
      else load_first(v[d], b + d * p.b_row + j, count);
#pragma GCC unroll 4
    for (int r = 0; r < rows; ++r) {
      Floats x;
      start<first>(x, p, result + r * p.result_row, addend ? addend + r * p.result_row : nullptr, j, count);
#pragma GCC unroll 4
      for (int d = 0; d < depth; ++d) x += factors[r][d] * v[d];
      if (count == lanes) store(result + r * p.result_row + j, x);
      else store_first(result + r * p.result_row + j, x, count);
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
