#pragma once
// What cuDNN has for attention on a device.

#include <optional>

#include "weft/backends/cuda/exec/attention.h"
#include "weft/backends/cuda/exec/dnn_call.h"
#include "weft/backends/cuda/exec/dnn_plan.h"

namespace weft::cuda {

/// 9.21, the first version that takes a graph for the scores.
inline constexpr size_t first_with_attention = 92100;

/// Attention as the library's graph of one operation.
DnnObject attention_graph(const AttentionCall& attention, DnnHandle* handle);
/// What the graph's tensors are in a plan's pack.
DnnTensors attention_tensors(const AttentionCall& attention);

/// A plan with no more memory than that.
std::optional<DnnPlan> choose_plan(const AttentionCall& attention, const DnnDevice& device, int64_t most_workspace);

}  // namespace weft::cuda
