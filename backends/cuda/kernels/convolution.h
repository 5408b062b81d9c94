#pragma once
// Convolutions as products of matrices whose elements are looked up where they lie: padding is zeros that are multiplied.

#include <string>
#include <vector>

#include "weft/backends/cuda/exec/convolution.h"
#include "weft/ir/graph.h"

namespace llvm {
class Module;
}

namespace weft::cuda {

/// An op with elements, each tensor of which lies row-major or with its channels last.
template <Wanted wanted>
bool claims_convolution(const ir::Op& op);
/// For the sums of parts of a long sum, and for a library.
template <Wanted wanted>
int64_t convolution_scratch_bytes(const ir::Op& op);
template <Wanted wanted>
std::vector<KernelLaunch> emit_convolution(llvm::Module& module, const ir::Op& op, const std::string& name);
template <Wanted wanted>
ir::NamedAttributes convolution_layouts(const ir::Op& op, bool tf32);
template <Wanted wanted>
CallDescriptor describe_convolution(const ir::Op& op, const KernelCall& kernels, bool tf32);

}  // namespace weft::cuda
