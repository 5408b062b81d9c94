#pragma once
// Products of matrices.

#include <string>
#include <vector>

#include "weft/backends/cuda/exec/call.h"
#include "weft/backends/cuda/kernels/product_tile.h"
#include "weft/ir/graph.h"

namespace llvm {
class Module;
}

namespace weft::cuda {

/// Any without an epilogue, or with one that it accepts.
bool claims_matmul(const ir::Op& op);
/// See product_epilogue.h.
bool accepts_matmul_epilogue(const ir::Op& op, const ir::Graph& body, bool tf32);
/// For the sums of parts of a long k, which without it is not cut, and for a library.
int64_t matmul_scratch_bytes(const ir::Op& op);
std::vector<KernelLaunch> emit_matmul(llvm::Module& module, const ir::Op& op, const std::string& name);
CallDescriptor describe_matmul(const ir::Op& op, const KernelCall& kernels, bool tf32);
/// With that tile, of a result with elements.
std::vector<KernelLaunch> emit_matmul(llvm::Module& module, const ir::Op& op, const std::string& name, const ProductTile& tile);

}  // namespace weft::cuda
