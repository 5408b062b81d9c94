#pragma once
// Kernels as entry points of a GPU program: scalar code, a thread for each work unit.

#include "weft/backends/codegen/code_shape.h"
#include "weft/backends/cuda/entry.h"

namespace weft::cuda {

/// The most pointers that an entry point's parameters hold: 32764 bytes.
inline constexpr int most_buffers = 4095;
/// Up to so many (4096 bytes), any version of PTX will do; beyond, PTX 8.1.
inline constexpr int few_buffers = 512;

/// See PtxKernel for what an entry point does.
class GpuShape final : public codegen::CodeShape {
 public:
  std::string name() const override { return "cuda"; }
  int lanes() const override { return 1; }
  bool has_libm() const override { return false; }
  bool shares_nests() const override { return false; }
  unsigned buffer_space() const override { return global_space; }
  int64_t emit_entry(llvm::Module& module, const std::string& name, std::span<const codegen::EmittedNest> nests, int buffers,
                     bool serial) const override;
};

}  // namespace weft::cuda
