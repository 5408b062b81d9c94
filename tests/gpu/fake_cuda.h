#pragma once
// A GPU for tests: the driver's library that runs kernels on the PTX machine (fake_cuda/control.h).

#include "weft/frontend/program/target.h"
#include "weft/tests/fake_cuda/control.h"

namespace weft::test {

/// One test's use of the library, whose counts start anew. At its end nothing may be alive on the device that was not before.
class FakeCuda {
 public:
  FakeCuda();
  FakeCuda(const FakeCuda&) = delete;
  ~FakeCuda();

  /// The library's file, for cuda::Options::driver.
  static const char* file();
  /// On which weft's own kernels run everything.
  Target target(cuda::Options options = {}) const;
  /// On which NVIDIA's libraries, which are the same file, run what they can.
  Target target_with_libraries(cuda::Options options = {}) const;

  FakeCudaReport report() const;
  const FakeCudaControl* operator->() const { return control_; }

 private:
  const FakeCudaControl* control_;
  FakeCudaReport before_;
};

}  // namespace weft::test
