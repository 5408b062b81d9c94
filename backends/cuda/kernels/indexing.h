#pragma once
// gather, scatter_rows, scatter_add and coalesce: rows picked, replaced, added to and summed by index. Where rows are summed, it is in
// the order in which the CPU sums them.

#include <cstdint>
#include <string>
#include <vector>

#include "weft/backends/cuda/kernel_launch.h"
#include "weft/ir/graph.h"

namespace llvm {
class Module;
}

namespace weft::cuda {

std::vector<KernelLaunch> emit_gather(llvm::Module& module, const ir::Op& op, const std::string& name);
std::vector<KernelLaunch> emit_scatter_rows(llvm::Module& module, const ir::Op& op, const std::string& name);

/// Bytes to sort the index in, of scatter_add and of coalesce.
int64_t scatter_add_scratch_bytes(const ir::Op& op);
int64_t coalesce_scratch_bytes(const ir::Op& op);
std::vector<KernelLaunch> emit_scatter_add(llvm::Module& module, const ir::Op& op, const std::string& name);
std::vector<KernelLaunch> emit_coalesce(llvm::Module& module, const ir::Op& op, const std::string& name);

}  // namespace weft::cuda
