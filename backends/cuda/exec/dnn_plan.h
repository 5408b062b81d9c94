#pragma once
// What cuDNN has for a graph of operations on a device.

#include <optional>

#include "weft/backends/cuda/exec/dnn_object.h"
#include "weft/support/dtype.h"
#include "weft/support/strided_view.h"

namespace weft::cuda {

/// Where a plan is to run: a device's handle, or properties that a device is said to have, with which nothing can run.
struct DnnDevice {
  DnnHandle* handle = nullptr;
  const DnnObject* properties = nullptr;
};

struct DnnPlan {
  DnnObject graph, config, plan;
  int64_t workspace_bytes;
};

/// In a plan's pack of pointers, the call's buffer number `buffer`.
inline int64_t tensor_id(size_t buffer) { return static_cast<int64_t>(buffer) + 1; }

int dnn_type(DType dtype);

enum class DnnPlace {
  memory,   // of the device
  nowhere,  // between two operations
  host,     // one number, read when the plan is executed
};
/// Of these extents and strides; its first element lies at a multiple of `alignment` bytes, as buffers do.
DnnObject dnn_tensor(int64_t id, int type, const StridedView& view, DnnPlace place = DnnPlace::memory, int64_t alignment = 64);
DnnObject graph_of(const DnnObject& operation, DnnHandle* handle);

struct PlanLimits {
  bool matrix_units = false;  // may they multiply?
  int64_t most_workspace = 0;
};

/// The first of the library's proposals whose bits are the same in every run, whose result's elements depend on what the definition
/// says and on nothing else, and which rounds no more than it must. None: it has nothing so.
std::optional<DnnPlan> choose_plan(DnnObject graph, const DnnDevice& device, const PlanLimits& limits);

}  // namespace weft::cuda
