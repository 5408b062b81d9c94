#pragma once
// Products by oneDNN. matmul.cpp is the only file that knows how oneDNN 2 and 3 differ.

#include <memory>

#include "weft/backends/cpu/exec/task.h"
#include "weft/support/dtype.h"
#include "weft/support/shape.h"

namespace weft::cpu {

struct MatmulSpec {
  DType dtype = f32;
  Dims batch;                // leading extents, shared by both operands
  int64_t m = 0, n = 0, k = 0;
  bool transpose_a = false;  // a is [..., k, m] in memory
  bool transpose_b = false;  // b is [..., n, k] in memory
  bool bias = false;         // buffers[2] is [n], added to every row
};

/// Can oneDNN on this machine multiply elements of this type?
bool supports_matmul(DType dtype);

/// buffers: a, b, (bias,) result. `threads` are what the library will use.
std::unique_ptr<Task> make_matmul(const MatmulSpec& spec, int threads);

/// Limits the instruction set that oneDNN uses ("sse4", "avx2", "avx512"); works only before its first use in the
/// process. Returns false when it came too late.
bool limit_library_isa(const std::string& max_isa);

}  // namespace weft::cpu
