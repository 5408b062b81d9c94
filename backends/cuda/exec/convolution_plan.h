#pragma once
// What cuDNN has for a convolution on a device.

#include <optional>

#include "weft/backends/cuda/exec/convolution.h"
#include "weft/backends/cuda/exec/dnn_plan.h"

namespace weft::cuda {

/// The convolution as the library's graph of one operation.
DnnObject convolution_graph(const ConvolutionSpec& spec, DnnHandle* handle);

/// A plan that rounds no more than the spec says, with no more memory than that.
std::optional<DnnPlan> choose_plan(const ConvolutionSpec& spec, const DnnDevice& device, int64_t most_workspace);

}  // namespace weft::cuda
