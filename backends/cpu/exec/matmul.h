#pragma once
// Products, by oneDNN or our own tiles: see product_slice.h.

#include <memory>

#include "weft/backends/cpu/exec/answer.h"
#include "weft/backends/cpu/exec/task.h"
#include "weft/runtime/product_call.h"

namespace weft::cpu {

struct MatmulSpec : ProductCall {
  /// The result is computed in so many parts, each by one thread; see slice_axis.
  int64_t slices = 1;
};

/// Can oneDNN on this machine multiply elements of this type, and not by plain loops or as if they were others?
bool supports_matmul(DType dtype);

/// How many parts a product is worth on `cores` cores.
int64_t useful_slices(const MatmulSpec& spec, int cores);

/// What computes the product; nothing where an extent is 0, which needs none.
Answer matmul_answer(const MatmulSpec& spec);

/// buffers: a, b, (bias or addend,) result, (scratch, if `scratch_bytes` is not 0; else the
/// task has its own). Throws weft::Error when that is too little.
std::unique_ptr<Task> make_matmul(const MatmulSpec& spec, int64_t scratch_bytes);

}  // namespace weft::cpu
