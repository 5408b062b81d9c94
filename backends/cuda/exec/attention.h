#pragma once
// Attention of bf16, which cuDNN runs where it is installed. Its gradient has no plan whose bits are the same in every run.

#include <memory>

#include "weft/backends/cuda/exec/call.h"
#include "weft/backends/cuda/exec/library_call.h"
#include "weft/runtime/attention_call.h"

namespace weft::cuda {

/// At multiples of so many bytes the library wants an operand's or result's first element, and each of its rows.
inline constexpr int64_t attention_alignment = 16;

/// May the library run it, wherever it is installed?
bool is_for_library(const AttentionCall& attention);
/// Memory that the library may have beside the operands and results, 0: none.
int64_t workspace_bytes(const AttentionCall& attention);

/// `kernels` compute the same.
CallDescriptor describe(const AttentionCall& attention, const KernelCall& kernels);
/// Throws weft::Error for what describe() does not make.
AttentionCall attention_of(const CallDescriptor& call);

// A kind of library call. Buffers: q, k, v, result, lse, then scratch memory if there is some.
void require_attention(const CallDescriptor& call, const Launch& launch);
std::unique_ptr<LibraryCall> plan_attention(const std::shared_ptr<Context>& context, const CallDescriptor& call, const Launch& launch);

}  // namespace weft::cuda
