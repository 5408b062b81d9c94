#pragma once
// A plan of cuDNN's as a call in a stream.

#include <memory>
#include <vector>

#include "weft/backends/cuda/exec/dnn_plan.h"
#include "weft/backends/cuda/exec/library_call.h"
#include "weft/runtime/threads.h"

namespace weft::cuda {

/// The library's state on a device, which one thread uses at a time.
class DnnState {
 public:
  /// The one of that context. Null: the library is not installed, or does not run on the device.
  static std::shared_ptr<DnnState> of(const std::shared_ptr<Context>& context);
  explicit DnnState(std::shared_ptr<Context> context);
  DnnState(const DnnState&) = delete;
  ~DnnState();

  DnnHandle* get() const { return handle_; }
  void execute(const DnnObject& plan, const DnnObject& pack, StreamHandle* stream);

 private:
  std::shared_ptr<Context> context_;
  ForkSafeMutex mutex_;
  DnnHandle* handle_ = nullptr;
  bool usable_ = false;
};

/// What a plan's pack says of its tensors, number i of which is called tensor_id(i).
struct DnnTensors {
  /// So many elements of the launch's buffers, and where in them each begins, in bytes.
  std::vector<int64_t> offsets;
  /// Numbers on the host, which follow them.
  std::vector<float> numbers = {};
};

/// Buffers behind those of the tensors are the plan's workspace.
std::unique_ptr<LibraryCall> dnn_call(std::shared_ptr<DnnState> state, DnnPlan plan, DnnTensors tensors);

}  // namespace weft::cuda
