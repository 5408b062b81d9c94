#pragma once
// Convolutions as products of matrices whose elements are looked up where they lie: padding is zeros that are multiplied.

#include <string>
#include <vector>

#include "weft/backends/cuda/kernel_launch.h"
#include "weft/ir/graph.h"

namespace llvm {
class Module;
}

namespace weft::cuda {

/// Which of the three tensors an op computes.
enum class Wanted { y, x, w };

/// An op with elements, all of which lie row-major.
template <Wanted wanted>
bool claims_convolution(const ir::Op& op);
/// For the sums of parts of a long sum.
template <Wanted wanted>
int64_t convolution_scratch_bytes(const ir::Op& op);
template <Wanted wanted>
std::vector<KernelLaunch> emit_convolution(llvm::Module& module, const ir::Op& op, const std::string& name);

}  // namespace weft::cuda
