#pragma once
// Kernels as C functions `void name(ptr buffers, i64 begin, i64 end)`, for processors.

#include "weft/backends/codegen/code_shape.h"

namespace weft::codegen {

/// The entry runs work units begin to end - 1 of all nests, taken one after the other. A serial kernel is one unit.
///
/// Vectors are 16 lanes wide in the IR and LLVM splits them to what the machine has, so 128, 256 and 512 bits compute the
/// same.
class HostShape final : public CodeShape {
 public:
  /// `lanes` is 16, or 1: the loops of code without vectors, which tests compare on the processor.
  explicit HostShape(int lanes = 16) : lanes_(lanes) {}

  std::string name() const override { return "cpu"; }
  bool has_libm() const override { return true; }
  std::vector<EntryPoint> emit_kernel(llvm::Module& module, const std::string& name, const ir::Op& op, const KernelTable& table,
                                      Nests& nests) const override;

 private:
  int lanes_;
};

}  // namespace weft::codegen
