#pragma once
// A step is for one thread at a time.

#include <atomic>
#include <cstdint>
#include <string>

#include "weft/runtime/threads.h"
#include "weft/support/error.h"

namespace weft {

/// While it lives, a step runs: a second thread is turned away with weft::Error. One that was inside when this process was forked is
/// none of this process.
class Running {
 public:
  /// `flag` is the step's: 0, or 1 + the fork_count() of the process whose thread is inside. `instead` is what to try.
  Running(std::atomic<uint64_t>& flag, const std::string& step, const char* instead) : flag_(flag) {
    const uint64_t here = fork_count() + 1;
    if (flag_.exchange(here, std::memory_order_acquire) == here) throw Error("step '{}' is running in another thread", step).hint(instead);
  }
  ~Running() { flag_.store(0, std::memory_order_release); }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

 private:
  std::atomic<uint64_t>& flag_;
};

}  // namespace weft
