#pragma once
// A call of a GPU program: kernels that are launched one after the other, as a descriptor and back. One that a library may carry out
// in their place says so by its name, and holds more (exec/library_call.h).

#include <cstdint>
#include <span>
#include <vector>

#include "weft/backends/cuda/kernel_launch.h"
#include "weft/runtime/call_descriptor.h"
#include "weft/runtime/launch_list.h"

namespace weft::cuda {

/// All kernels of a call take the same table of pointers.
struct KernelCall {
  /// So many bytes behind the start of one of the launch's buffers.
  struct Pointer {
    size_t buffer;
    int64_t offset;
  };

  std::vector<KernelLaunch> launches;
  size_t buffers = 0;
  std::vector<Pointer> pointers;
};

CallDescriptor describe(const KernelCall& call);
/// Its kernels. Throws weft::Error for what describe() does not make, here or for a library's call, and where a pointer lies outside
/// of the launch's buffers.
KernelCall kernel_call(const CallDescriptor& call, const Launch& launch);

}  // namespace weft::cuda
