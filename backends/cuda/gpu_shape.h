#pragma once
// Kernels as entry points of a GPU program.

#include "weft/backends/codegen/code_shape.h"
#include "weft/backends/codegen/codegen.h"
#include "weft/backends/cuda/kernel_launch.h"

namespace weft::cuda {

/// The most pointers that an entry point's parameters hold: 32764 bytes.
inline constexpr int most_buffers = 4095;
/// Up to so many (4096 bytes), any version of PTX will do; beyond, PTX 8.1.
inline constexpr int few_buffers = 512;

/// How the loops of a nest are shared out is codegen/mapping.h's choice. What one launch leaves for the next lies in a variable of the
/// module, of which there is one: kernels of a program run one after the other.
class GpuShape final : public codegen::CodeShape {
 public:
  std::string name() const override { return "cuda"; }
  bool has_libm() const override { return false; }
  bool reorders_nests() const override { return true; }
  std::vector<codegen::EntryPoint> emit_kernel(llvm::Module& module, const std::string& name, const ir::Op& op,
                                               const codegen::KernelTable& table, codegen::Nests& nests) const override;
};

/// How many pointers the kernel of a `fused` or `kernel` op takes. Throws weft::Error with its line where a GPU passes fewer.
int pointers_of(const ir::Op& op);
/// How a kernel that was emitted in this shape is launched.
std::vector<KernelLaunch> launches_of(const codegen::Kernel& kernel);

}  // namespace weft::cuda
