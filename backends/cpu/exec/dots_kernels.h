#pragma once
// The innermost loops of products whose operands both lie along the sums, as those of a layer's forward product do: both are read in
// vectors where they lie, and nothing is packed. For one instruction set.

#include <cstdint>

namespace weft::cpu {

/// result (i, j) = sum over p of few (i, p) * many (j, p), where both lie along p. The larger operand is `many`: it is read once for
/// each block of `few`.
struct Dots {
  const float *few, *many;
  int64_t few_row, many_row;  // distances of rows
  int64_t few_rows, many_rows, k;
  float* result;
  int64_t result_few, result_many;  // distances of neighbours along i and j
  const float* addend;              // lies as the result and may be it; null: none
  const float* bias;                // null: none
  int64_t bias_few, bias_many;      // distances as the result's; 0 along the one that it repeats
};

struct DotsKernels {
  const char* name;  // as an implementation's
  /// Each sum is added up in the same order, however many rows there are.
  void (*dots)(const Dots& product);
};

extern const DotsKernels sse4_dots_kernels, avx2_dots_kernels, avx512_dots_kernels;

}  // namespace weft::cpu
