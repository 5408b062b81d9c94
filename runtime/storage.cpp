#include "weft/runtime/storage.h"

#include <cstdlib>
#include <utility>

#include "weft/runtime/threads.h"

namespace weft {
namespace {

/// Guards every copy between host and memory spaces: they are few, and mostly wait for one bus.
ForkSafeMutex& copying() {
  static auto* const mutex = new ForkSafeMutex;  // never destroyed: static arrays may end after it
  return *mutex;
}
[[maybe_unused]] const ForkSafeMutex& made_before_main = copying();

}  // namespace

void Storage::Free::operator()(std::byte* p) const { std::free(p); }

Storage::Storage(Storage&& other) noexcept
    : host_(std::move(other.host_)), bytes_(std::exchange(other.bytes_, 0)), remote_(other.remote_.exchange(nullptr)) {}

Storage& Storage::operator=(Storage&& other) noexcept {
  std::swap(host_, other.host_);
  std::swap(bytes_, other.bytes_);
  remote_ = other.remote_.exchange(remote_);
  return *this;
}

Storage::~Storage() { delete remote_.load(); }

void Storage::fetch(Remote& remote) const {
  if (remote.newest.load(std::memory_order_acquire) != Newest::space) return;
  const std::lock_guard lock(copying());
  if (remote.newest != Newest::space) return;
  remote.space->copy_out(host_.get(), remote.memory, bytes_);
  remote.newest.store(Newest::both, std::memory_order_release);
}

void Storage::take_back(Remote& remote) {
  fetch(remote);
  if (remote.newest.exchange(Newest::host) == Newest::both) remote.space->outdated_here(remote.memory, bytes_);
}

Storage::Remote& Storage::there(const std::shared_ptr<MemorySpace>& space) {
  Remote* remote = remote_.load(std::memory_order_acquire);
  if (remote && remote->space == space && remote->newest.load(std::memory_order_acquire) != Newest::host) return *remote;
  if (remote && remote->space != space) fetch(*remote);
  const std::lock_guard lock(copying());
  remote = remote_.load();
  if (!remote || remote->space != space) {
    auto made = std::make_unique<Remote>(space, space->allocate(bytes_));
    delete remote_.exchange(made.get());
    remote = made.release();
  }
  if (remote->newest == Newest::host) {
    space->copy_in(remote->memory, host_.get(), bytes_);
    remote->newest.store(Newest::both, std::memory_order_release);
  }
  return *remote;
}

std::byte* Storage::write_in(const std::shared_ptr<MemorySpace>& space) {
  Remote& remote = there(space);
  if (remote.newest.exchange(Newest::space) == Newest::both) space->outdated_on_host(host_.get(), bytes_);
  return remote.memory;
}

}  // namespace weft
