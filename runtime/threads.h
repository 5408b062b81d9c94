#pragma once
// Threads of weft's own, which the system may refuse, and which a fork leaves behind: a child has none of its parent's threads,
// and what they held, locked or waited at stays so for ever.

#include <cstdint>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace weft {

/// The forks that led to this process: what another number made is not to be waited for.
uint64_t fork_count();

/// Keeps what must not be destroyed, for threads that stayed behind had to do with it.
void keep_for_ever(std::shared_ptr<void> what);

/// A mutex that is free in a child, since whoever forks waits for it. Of static lifetime, and made before main(): a child of a process
/// that was forked while another thread made it inside of a function would wait for that thread for ever.
class ForkSafeMutex {
 public:
  ForkSafeMutex();
  void lock() { mutex_.lock(); }
  void unlock() { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

/// The workers of an object, which tells them when to end.
class Workers {
 public:
  Workers() = default;
  ~Workers() { join(); }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// Starts one more, or returns false when the system refuses it.
  template <class Work>
  bool start(Work work) try {
    forget_left_behind();
    threads_.emplace_back(std::move(work));
    return true;
  } catch (const std::system_error&) {
    return false;
  }

  /// How many there are, in this process.
  int count() const { return born_ == fork_count() ? static_cast<int>(threads_.size()) : 0; }
  /// Waits for them to end.
  void join();

 private:
  void forget_left_behind();

  std::vector<std::thread> threads_;
  uint64_t born_ = fork_count();
};

}  // namespace weft
