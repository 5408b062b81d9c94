#pragma once
// Small products of f32 matrices inside a task's own loops, by the calling thread: our tiles where there are some for this machine
// (gemm.h), else oneDNN's, which its threads stay out of only where the task says that it calls the library.

#include "weft/backends/cpu/exec/gemm.h"

namespace weft::cpu {

bool block_products_are_library_calls();

/// For products with no extent larger than this one's.
int64_t most_block_product_scratch_bytes(const GemmShape& shape);

/// result = a b, or result + a b. Returns 0, or the library's number for what went wrong.
int block_product(const GemmShape& shape, const float* a, const float* b, bool accumulates, float* result, float* scratch);

}  // namespace weft::cpu
