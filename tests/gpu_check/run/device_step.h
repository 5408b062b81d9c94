#pragma once
// A program of the bundle on the GPU: what load_step does for cuda alone, so that nothing of the CPU's library is needed.

#include <memory>
#include <string>

#include "weft/backends/cuda/exec/context.h"
#include "weft/runtime/saved_step.h"
#include "weft/tests/gpu_check/bundle/manifest.h"

namespace weft::gpu_check {

class DeviceStep {
 public:
  /// `libraries`: may NVIDIA's libraries run what they can? Throws weft::Error naming the file.
  DeviceStep(const std::string& path, int device, bool libraries = true);

  SavedStep& step() { return *step_; }
  /// Does a library run any of its calls?
  bool uses_libraries() const;
  /// Launch by launch, from the next call on.
  void start_profile() { program_->start_profile(); }
  std::vector<CallTime> profile() const { return program_->profile(); }
  /// Waits for the device.
  void wait() { context_->synchronize(); }

 private:
  std::shared_ptr<cuda::Context> context_;
  Program* program_ = nullptr;
  std::optional<SavedStep> step_;
};

/// "NVIDIA H100 80GB HBM3, sm_90, 132 multiprocessors, 79.1 GiB, driver for CUDA 12.4"
std::string describe(const cuda::DeviceDescription& device);

}  // namespace weft::gpu_check
