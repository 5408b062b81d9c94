#pragma once
// Attention of bf16, which cuDNN runs where it is installed. Its gradient has no plan whose bits are the same in every run.

#include <memory>

#include "weft/backends/cuda/exec/call.h"
#include "weft/backends/cuda/exec/dnn_plan.h"
#include "weft/backends/cuda/exec/library_call.h"
#include "weft/runtime/attention_call.h"

namespace weft::cuda {

/// May the library run it, wherever it is installed?
bool is_for_library(const AttentionCall& attention);
/// Memory that the library may have beside the operands and results, 0: none.
int64_t workspace_bytes(const AttentionCall& attention);

/// `kernels` compute the same.
CallDescriptor describe(const AttentionCall& attention, const KernelCall& kernels);
/// Throws weft::Error for what describe() does not make.
AttentionCall attention_of(const CallDescriptor& call);

/// As the library's graph of one operation. Needs its version `first_with_attention`.
DnnObject attention_graph(const AttentionCall& attention, DnnHandle* handle);
inline constexpr size_t first_with_attention = 92100;  // 9.21, the first that takes a graph for the scores
std::optional<DnnPlan> choose_plan(const AttentionCall& attention, const DnnDevice& device, int64_t most_workspace);

// A kind of library call. Buffers: q, k, v, result, lse, then scratch memory if there is some.
void require_attention(const CallDescriptor& call, const Launch& launch);
std::unique_ptr<LibraryCall> plan_attention(const std::shared_ptr<Context>& context, const CallDescriptor& call, const Launch& launch);

}  // namespace weft::cuda
