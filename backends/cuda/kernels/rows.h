#pragma once
// What kernels that go by index share.

#include "weft/backends/cuda/kernels/kernel_builder.h"

namespace weft::cuda {

/// x is [outer, extent, inner], the index has `count` elements, what is gathered or added is [outer, count, inner].
struct Rows {
  DType dtype = f32;
  int64_t outer = 1, extent = 0, count = 0, inner = 1;

  /// Of gather, scatter_add and scatter_rows, whose result has elements.
  static Rows of(const ir::Op& op);

  int64_t row_bytes() const { return inner * static_cast<int64_t>(size_of(dtype)); }
};

/// Copies buffer `from` to buffer `to`, unless they are the same.
KernelLaunch emit_copy(llvm::Module& module, const ir::Op& op, const std::string& name, int from, int to, int64_t bytes);

}  // namespace weft::cuda
