#pragma once
// A device without a device: memory beside the host's that only copies reach, and programs that compute there. Whatever is not
// brought where it is read is spoiled, so that a copy that was forgotten shows as nan, -1 or 255, on any machine.

#include <atomic>
#include <map>
#include <memory>
#include <mutex>

#include "weft/backends/program/backend.h"
#include "weft/frontend/program/target.h"
#include "weft/runtime/memory_space.h"

namespace weft::test {

class FakeMemory final : public MemorySpace {
 public:
  FakeMemory() = default;
  FakeMemory(const FakeMemory&) = delete;
  FakeMemory& operator=(const FakeMemory&) = delete;
  /// Ends the process when something was not released.
  ~FakeMemory() override;

  std::string_view name() const override { return "the memory of no device"; }
  std::byte* allocate(size_t bytes) override;
  void release(std::byte* memory) override;
  void copy_in(std::byte* to, const std::byte* host, size_t bytes) override;
  void copy_out(std::byte* host, const std::byte* from, size_t bytes) override;
  void outdated_on_host(std::byte* host, size_t bytes) override;
  void outdated_here(std::byte* memory, size_t bytes) override;

  /// Bytes so far.
  size_t copied_in() const { return copied_in_; }
  size_t copied_out() const { return copied_out_; }
  size_t buffers() const;

 private:
  bool holds(const std::byte* memory, size_t bytes) const;
  void require(bool right, const char* what) const;

  mutable std::mutex mutex_;
  std::map<const std::byte*, size_t> buffers_;  // and their bytes
  std::atomic<size_t> copied_in_ = 0, copied_out_ = 0;
};

/// The cpu backend's programs, which see nothing but this memory.
std::shared_ptr<const Backend> fake_backend(std::shared_ptr<FakeMemory> memory, cpu::Options options = {});
inline Target fake_target(std::shared_ptr<FakeMemory> memory, cpu::Options options = {}) {
  return Target(fake_backend(std::move(memory), std::move(options)));
}

}  // namespace weft::test
