#include "weft/backends/cpu/exec/block_product.h"

#include <dnnl.h>

namespace weft::cpu {

bool block_products_are_library_calls() { return !gemm_kernels(); }

int64_t most_block_product_scratch_bytes(const GemmShape& shape) {
  const GemmKernels* kernels = gemm_kernels();
  return kernels ? Gemm::most_scratch_bytes(*kernels, shape.m, shape.n, shape.k) : 0;
}

int block_product(const GemmShape& s, const float* a, const float* b, bool accumulates, float* result, float* scratch) {
  if (const GemmKernels* kernels = gemm_kernels()) {
    Gemm(*kernels, s).run(a, b, nullptr, accumulates ? result : nullptr, result, scratch);
    return 0;
  }
  // Where an extent is 1, both distances may be.
  const bool a_lies = s.a_column == 1 && s.a_row >= s.k, b_lies = s.b_column == 1 && s.b_row >= s.n;
  return dnnl_sgemm(a_lies ? 'N' : 'T', b_lies ? 'N' : 'T', s.m, s.n, s.k, 1, a, a_lies ? s.a_row : s.a_column, b,
                    b_lies ? s.b_row : s.b_column, accumulates ? 1 : 0, result, s.result_row);
}

}  // namespace weft::cpu
