#pragma once
// What cuDNN has for a convolution on a device.

#include <optional>

#include "weft/backends/cuda/exec/convolution.h"
#include "weft/backends/cuda/exec/dnn_object.h"

namespace weft::cuda {

/// Where a plan is to run: a device's handle, or properties that a device is said to have, with which nothing can run.
struct DnnDevice {
  DnnHandle* handle = nullptr;
  const DnnObject* properties = nullptr;
};

struct ConvolutionPlan {
  DnnObject graph, config, plan;
  int64_t workspace_bytes;
};

/// In a plan's pack of pointers, buffer number `buffer` of the convolution.
inline int64_t tensor_id(size_t buffer) { return static_cast<int64_t>(buffer) + 1; }

/// The convolution as the library's graph of one operation.
DnnObject convolution_graph(const ConvolutionSpec& spec, DnnHandle* handle);

/// The first of the library's proposals whose bits are the same in every run, whose result's elements depend on what the definition
/// says and on nothing else, and which rounds no more than the spec says; with no more memory than that. None: it has nothing so.
std::optional<ConvolutionPlan> choose_plan(const ConvolutionSpec& spec, const DnnDevice& device, int64_t most_workspace);

}  // namespace weft::cuda
