#pragma once
// Calls that one of NVIDIA's libraries may carry out in place of a call's kernels.

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "weft/backends/cuda/exec/context.h"
#include "weft/runtime/call_descriptor.h"
#include "weft/runtime/launch_list.h"

namespace weft::cuda {

/// A call as a library has planned it on a device.
class LibraryCall {
 public:
  virtual ~LibraryCall() = default;
  /// Puts it into the stream. `buffers`: the launch's, as the descriptor says; the context is current.
  virtual void enqueue(std::span<std::byte* const> buffers, StreamHandle* stream) = 0;
  /// "cuBLASLt 13.0"
  virtual std::string name() const = 0;
};

struct LibraryCallKind {
  /// CallDescriptor::call. Such a descriptor holds what one of kernels does (exec/call.h), and what the library must know beside it.
  std::string_view call;
  /// Throws weft::Error for fields that the compiler does not write, and for buffers smaller than they say.
  void (*require)(const CallDescriptor&, const Launch&);
  /// Null: there is no library on this machine, or it has nothing for the case: then the kernels run.
  std::unique_ptr<LibraryCall> (*plan)(const std::shared_ptr<Context>&, const CallDescriptor&, const Launch&);
};

/// Throws weft::Error unless the launch has these buffers, of so many bytes at least, and at most one more, for scratch memory. `what`: "a
/// product".
void require_buffers(std::string_view what, std::span<const int64_t> bytes, const Launch& launch);

/// Null: it is a call of kernels alone.
const LibraryCallKind* find_library_call(std::string_view call);

}  // namespace weft::cuda
