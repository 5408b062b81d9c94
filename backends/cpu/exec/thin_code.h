// The code of ThinKernels, compiled once for each instruction set by the file that includes this. All of it stands in a nameless
// namespace, and it calls no function that another file might have compiled too: a processor may lack what it was compiled for.

#include <cstdint>

#include "weft/backends/cpu/exec/intrinsics.h"
#include "weft/backends/cpu/exec/thin_kernels.h"

namespace weft::cpu {
namespace {

#include "weft/backends/cpu/exec/vectors_code.h"

#include "weft/backends/cpu/exec/part_vectors_code.h"

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
