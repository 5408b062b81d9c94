#pragma once
// Who sees a program's calls one by one while it runs, with what each reads and writes.

#include <cstddef>
#include <cstdint>
#include <span>

namespace weft {

class CallWatcher {
 public:
  virtual ~CallWatcher() = default;

  /// One run of one call.
  struct Call {
    size_t number;                        // the place among Program::calls()
    std::span<const int64_t> passes;      // of the loops around it, the outermost first
    std::span<std::byte* const> buffers;  // on the host: operands, then results. Some results may lie where operands do
  };
  /// Right before it; its results are not there yet.
  virtual void before(const Call& call) = 0;
  /// Right after it. Both may throw.
  virtual void after(const Call& call) = 0;
};

}  // namespace weft
