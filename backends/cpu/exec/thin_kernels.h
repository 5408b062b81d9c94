#pragma once
// The innermost loops of thin products, of which one extent is so short that each element of the larger operand takes part in few
// multiplications: it is read once, in order, as fast as memory gives it. For one instruction set. Those whose operands both lie along
// the sums are dots (dots_kernels.h).

#include <cstdint>

namespace weft::cpu {

/// result (i, j) = sum over p of a (i, p) * b (p, j), where b and the result lie along j. So it is with few rows or short sums, mostly.
struct ThinSums {
  const float *a, *b;
  int64_t a_row, a_column, b_row;  // distances of neighbours
  int64_t m, n, k;
  float* result;
  int64_t result_row;
  const float* addend;  // lies as the result and may be it; null: none
  const float* bias;    // [n]; null: none
};

struct ThinKernels {
  const char* name;  // as an implementation's
  void (*sums)(const ThinSums& product);
};

extern const ThinKernels sse4_thin_kernels, avx2_thin_kernels, avx512_thin_kernels;

}  // namespace weft::cpu
