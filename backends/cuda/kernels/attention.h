#pragma once
// Attention and its gradient as kernels that never store the weights of all queries and keys.

#include <string>
#include <vector>

#include "weft/backends/cuda/exec/call.h"
#include "weft/ir/graph.h"

namespace llvm {
class Module;
}

namespace weft::cuda {

bool claims_attention(const ir::Op& op);
/// For a library.
int64_t attention_scratch_bytes(const ir::Op& op);
/// attention: one kernel.
std::vector<KernelLaunch> emit_attention(llvm::Module& module, const ir::Op& op, const std::string& name);
/// attention_gradient: a kernel for the gradients of keys and values, or one for each, and one for that of queries.
std::vector<KernelLaunch> emit_attention_gradient(llvm::Module& module, const ir::Op& op, const std::string& name);
CallDescriptor describe_attention(const ir::Op& op, const KernelCall& kernels, bool tf32);

}  // namespace weft::cuda
