#pragma once
// Where the time of a program's steps goes, call by call.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace weft {

/// One launch or library call, over all steps that were profiled.
struct CallTime {
  std::string call;         // as Program::calls() says it
  double microseconds = 0;  // a step spends on it, on average: on the caller's thread, waiting for others included
  double waiting = 0;       // the part of these that the caller's thread waited for others before the call
  double flops = 0;         // floating-point operations that it does in a step
  double bytes = 0;         // that it reads and writes in a step at least
};

/// Adds up clock readings. Each thread has its own row, so nothing is shared while a step runs.
class Profiler {
 public:
  Profiler(size_t calls, int threads) : calls_(calls), rows_(static_cast<size_t>(threads), Row(calls)) {}

  using Clock = std::chrono::steady_clock;

  void waited(int thread, size_t call, Clock::duration time) { cell(thread, call).waited += time; }
  void ran(int thread, size_t call, Clock::duration time) { cell(thread, call).ran += time; }
  void step_done() { ++steps_; }

  int64_t steps() const { return steps_; }
  size_t calls() const { return calls_; }
  /// Means over the steps, of the caller's thread, in microseconds.
  double microseconds(size_t call) const { return mean(cell(call).waited + cell(call).ran); }
  double waiting(size_t call) const { return mean(cell(call).waited); }

 private:
  struct Cell {
    Clock::duration waited{}, ran{};
  };
  struct alignas(64) Row : std::vector<Cell> {
    using std::vector<Cell>::vector;
  };

  Cell& cell(int thread, size_t call) { return rows_[static_cast<size_t>(thread)][call]; }
  const Cell& cell(size_t call) const { return rows_[0][call]; }
  double mean(Clock::duration total) const {
    const double all = std::chrono::duration<double, std::micro>(total).count();
    return steps_ == 0 ? 0 : all / static_cast<double>(steps_);
  }

  size_t calls_;
  std::vector<Row> rows_;
  int64_t steps_ = 0;
};

}  // namespace weft
