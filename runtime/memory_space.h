#pragma once
// Memory that programs compute in and that the host reaches by copies alone: a device's.

#include <cstddef>
#include <string_view>

namespace weft {

class MemorySpace {
 public:
  virtual ~MemorySpace() = default;
  /// For people: "NVIDIA H100, memory".
  virtual std::string_view name() const = 0;

  /// Aligned to buffer_alignment; what lies in it is anything. Throws OutOfMemory.
  virtual std::byte* allocate(size_t bytes) = 0;
  virtual void release(std::byte* memory) = 0;
  /// From the host's memory, and to it. Both are done when they return.
  virtual void copy_in(std::byte* to, const std::byte* host, size_t bytes) = 0;
  virtual void copy_out(std::byte* host, const std::byte* from, size_t bytes) = 0;

  /// Told that nobody may read these bytes before they are copied again, since newer ones lie on the other side. A space for tests
  /// spoils them.
  virtual void outdated_on_host(std::byte* /*host*/, size_t /*bytes*/) {}
  virtual void outdated_here(std::byte* /*memory*/, size_t /*bytes*/) {}
};

}  // namespace weft
