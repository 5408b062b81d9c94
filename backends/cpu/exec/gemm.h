#pragma once
// Products of f32 matrices by our own tiles (gemm_kernels.h), where these are no slower than oneDNN's, which writes its code when
// a call is first made: milliseconds for each kind of product.

#include <cstdint>

#include "weft/backends/cpu/exec/gemm_kernels.h"

namespace weft::cpu {

/// result [m,n] = a [m,k] * b [k,n], with distances between neighbours along rows and columns. Of each operand one distance is 1.
struct GemmShape {
  int64_t m, n, k;
  int64_t a_row, a_column, b_row, b_column;
  int64_t result_row;
};

/// The tiles for this machine, within the limit that the library has; null: none.
const GemmKernels* gemm_kernels();

/// How a product is computed, which follows from its shape alone.
class Gemm {
 public:
  Gemm(const GemmKernels& kernels, const GemmShape& shape);

  /// Are tiles as good for it as the library? Not for products with a vector, nor for all that do little but write their result.
  static bool suits(const GemmKernels& kernels, int64_t m, int64_t n, int64_t k);

  /// How long it takes, about.
  double cycles() const { return cycles_; }
  int64_t scratch_bytes() const;
  /// For products of at most these extents, however they lie.
  static int64_t most_scratch_bytes(const GemmKernels& kernels, int64_t m, int64_t n, int64_t k);
  /// `bias` [n] or null; `addend` lies as the result and may be it, or is null; `scratch` of scratch_bytes().
  void run(const float* a, const float* b, const float* bias, const float* addend, float* result, float* scratch) const;

 private:
  struct Pass;
  /// Of what is packed at a time: floats of broadcasts, and those of vectors, which lie behind.
  int64_t packed_broadcasts() const;
  int64_t packed_vectors() const;
  void run_tiles(const Pass& pass) const;

  const GemmKernels& kernels_;
  double cycles_;
  bool transposed_;                  // the vector operand is a
  GemmOperand broadcast_, vectors_;  // without data
  int64_t lines_, width_, k_, result_row_;
  bool packs_broadcasts_, packs_vectors_;
  int64_t most_lines_, most_width_, most_k_;  // of what is packed at a time
};

}  // namespace weft::cpu
