#pragma once
// A block of threads. One thread runs until it ends or comes to where it must wait for others, then the next.

#include <memory>
#include <span>
#include <vector>

#include "weft/tests/ptx/thread.h"

namespace weft::test::ptx {

/// Threads that have come together at one instruction.
class Group {
 public:
  /// By lane, null where one does not take part; or all threads of the block.
  Group(std::span<Thread* const> threads, bool is_whole) : threads_(threads), is_whole_(is_whole) {}

  std::span<Thread* const> threads() const { return threads_; }
  /// Does it hold all live threads of the warp?
  bool is_whole() const { return is_whole_; }
  Thread& lane(uint32_t n) const {
    if (n >= threads_.size() || !threads_[n])
      throw Problem{Check::undefined, "a value of lane " + std::to_string(n) + ", which does not take part"};
    return *threads_[n];
  }
  /// f(lane, thread) of each that takes part.
  template <class F>
  void each(F f) const {
    for (uint32_t n = 0; n < threads_.size(); ++n)
      if (threads_[n]) f(n, *threads_[n]);
  }

 private:
  std::span<Thread* const> threads_;
  bool is_whole_;
};

/// What all blocks of a launch share.
struct Grid {
  const Kernel& kernel;
  Dim3 blocks, threads;
  uint64_t dynamic_shared_bytes = 0;
  Memory& global;
  Region& param;
  Region& constant;
  uint64_t seed = 0;  // 0: threads run in their order
  uint64_t instructions_left = 0;
};

class Block {
 public:
  explicit Block(Grid& grid);

  /// Runs all of a block; throws Fault.
  void run(uint64_t number, Periods& periods);

 private:
  void start(uint64_t number, Periods& periods);
  void start(Thread& thread, uint64_t block);
  uint64_t special(Special which, const Thread& thread, uint64_t block) const;
  void run_in_order();
  void interpret(Thread& thread);
  bool all_done() const;

  bool release_warps();
  bool release_warp(uint32_t warp);
  bool release_group(uint32_t warp, const Thread& first);
  bool release_barrier();
  void run_together(const Instruction& i, std::span<Thread* const> threads, bool is_whole);
  [[noreturn]] void report_divergence();
  [[noreturn]] void report(const Problem& problem, const Thread& thread);
  std::string place_of(const Thread& thread) const;
  uint32_t mask_of(Thread& thread) const;

  Grid& grid_;
  uint32_t count_;
  std::vector<Thread> threads_;
  std::vector<uint64_t> values_, start_values_;
  std::vector<uint8_t> written_, start_written_;
  std::vector<uint32_t> order_;
  Region shared_;
  BlockMemory memory_;
  uint64_t random_ = 0;
};

}  // namespace weft::test::ptx
