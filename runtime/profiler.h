#pragma once
// Where the time of a program's steps goes, call by call, and when.

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

/// When what happened, in microseconds since the first traced step began.
struct Trace {
  struct Span {
    double begin = 0, end = 0;
  };
  /// What a thread did, or waited for others to do before a call of its own.
  struct Event {
    int thread = 0;      // 0 is the caller's
    size_t call = 0;     // its number among Program::calls()
    bool waits = false;  // for other threads
    Span when;
  };
  std::vector<Span> steps;
  /// Of each thread in order.
  std::vector<Event> events;
  /// Are the events those of a device, in its one stream?
  bool on_device = false;
};

/// Adds up clock readings, and keeps those of the first steps where it was asked to. Each thread has its own row, so nothing is
/// shared while a step runs.
class Profiler {
 public:
  using Clock = std::chrono::steady_clock;
  struct Reading {
    Clock::time_point begin, end;
  };

  /// Keeps the readings of so many steps, in each of which a thread makes at most so many.
  Profiler(size_t calls, int threads, int64_t traced_steps = 0, size_t readings = 0)
      : calls_(calls), traced_steps_(traced_steps), rows_(static_cast<size_t>(threads)) {
    steps_traced_.reserve(static_cast<size_t>(traced_steps));
    for (Row& row : rows_) {
      row.cells.resize(calls);
      row.kept.reserve(static_cast<size_t>(traced_steps) * readings);
    }
  }

  void waited(int thread, size_t call, Reading r) { note(thread, call, true, r).waited += r.end - r.begin; }
  void ran(int thread, size_t call, Reading r) { note(thread, call, false, r).ran += r.end - r.begin; }
  void step_done(Reading r) {
    if (steps_ < traced_steps_) steps_traced_.push_back(r);
    ++steps_;
  }

  int64_t steps() const { return steps_; }
  size_t calls() const { return calls_; }
  /// Means over the steps, of the caller's thread, in microseconds.
  double microseconds(size_t call) const { return mean(cell(call).waited + cell(call).ran); }
  double waiting(size_t call) const { return mean(cell(call).waited); }

  Trace trace() const {
    Trace trace;
    if (steps_traced_.empty()) return trace;
    const auto span = [&](Reading r) { return Trace::Span{since(r.begin), since(r.end)}; };
    for (const Reading& step : steps_traced_) trace.steps.push_back(span(step));
    for (size_t thread = 0; thread < rows_.size(); ++thread)
      for (const Kept& k : rows_[thread].kept) trace.events.push_back({static_cast<int>(thread), k.call, k.waits, span(k.when)});
    return trace;
  }

 private:
  struct Cell {
    Clock::duration waited{}, ran{};
  };
  struct Kept {
    size_t call;
    bool waits;
    Reading when;
  };
  struct alignas(64) Row {
    std::vector<Cell> cells;
    std::vector<Kept> kept;
  };

  Cell& note(int thread, size_t call, bool waits, Reading when) {
    Row& row = rows_[static_cast<size_t>(thread)];
    if (steps_ < traced_steps_ && row.kept.size() < row.kept.capacity()) row.kept.push_back({call, waits, when});
    return row.cells[call];
  }
  const Cell& cell(size_t call) const { return rows_[0].cells[call]; }
  double mean(Clock::duration total) const { return steps_ == 0 ? 0 : microseconds_of(total) / static_cast<double>(steps_); }
  double since(Clock::time_point at) const { return microseconds_of(at - steps_traced_[0].begin); }
  static double microseconds_of(Clock::duration d) { return std::chrono::duration<double, std::micro>(d).count(); }

  size_t calls_;
  int64_t traced_steps_;
  std::vector<Row> rows_;
  std::vector<Reading> steps_traced_;
  int64_t steps_ = 0;
};

}  // namespace weft
