#pragma once
// The bytes of an array. They lie on the host, and once a program that computes elsewhere uses them, in its memory space too; the
// storage knows where the newest are. Who wants them asks, and they are copied if need be: at most once each way for each change.

#include <atomic>
#include <cstddef>
#include <memory>

#include "weft/runtime/memory_space.h"

namespace weft {

/// Any number of threads may read at once, on the host and in one memory space; writing is for one thread alone.
class Storage {
 public:
  Storage() = default;
  /// Takes over memory of the host, from std::malloc or the like.
  Storage(std::byte* host, size_t bytes) : host_(host), bytes_(bytes) {}
  Storage(Storage&& other) noexcept;
  Storage& operator=(Storage&& other) noexcept;
  ~Storage();

  size_t bytes() const { return bytes_; }
  /// On the host: the newest bytes, until somebody writes elsewhere.
  const std::byte* read() const {
    if (Remote* remote = remote_.load(std::memory_order_acquire)) fetch(*remote);
    return host_.get();
  }
  /// On the host: the newest bytes, which are about to be changed.
  std::byte* write() {
    if (Remote* remote = remote_.load(std::memory_order_acquire)) take_back(*remote);
    return host_.get();
  }
  /// The same in a memory space. Bytes that lie in another one leave that.
  const std::byte* read_in(const std::shared_ptr<MemorySpace>& space) { return there(space).memory; }
  std::byte* write_in(const std::shared_ptr<MemorySpace>& space);
  /// Where the bytes have their place on the host, whether or not they are there: tells storages apart.
  const std::byte* address() const { return host_.get(); }

 private:
  enum class Newest { both, host, space };
  struct Remote {
    std::shared_ptr<MemorySpace> space;
    std::byte* memory;
    std::atomic<Newest> newest = Newest::host;
    ~Remote() { space->release(memory); }
  };
  struct Free {
    void operator()(std::byte* p) const;
  };

  void fetch(Remote& remote) const;
  void take_back(Remote& remote);
  Remote& there(const std::shared_ptr<MemorySpace>& space);

  std::unique_ptr<std::byte[], Free> host_;
  size_t bytes_ = 0;
  std::atomic<Remote*> remote_ = nullptr;  // owned
};

}  // namespace weft
