#pragma once
// Products of matrices.

#include <string>
#include <vector>

#include "weft/backends/cuda/kernel_launch.h"
#include "weft/backends/cuda/kernels/product_tile.h"
#include "weft/ir/graph.h"

namespace llvm {
class Module;
}

namespace weft::cuda {

/// An op without epilogue.
bool claims_matmul(const ir::Op& op);
/// For the sums of parts of a long k; without it, no k is cut.
int64_t matmul_scratch_bytes(const ir::Op& op);
std::vector<KernelLaunch> emit_matmul(llvm::Module& module, const ir::Op& op, const std::string& name);
/// With that tile, of a result with elements.
std::vector<KernelLaunch> emit_matmul(llvm::Module& module, const ir::Op& op, const std::string& name, const ProductTile& tile);

}  // namespace weft::cuda
