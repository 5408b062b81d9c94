#pragma once
// Where compute threads come from, and the only file that knows: teams of workers (runtime/threads.h). A program runs all its steps
// inside one Team::run, with barriers where one step reads what another thread wrote. Libraries run on the thread that
// calls them.
//
// A thread that waits spins for some tens of microseconds and then sleeps, so a team is quick while it works and harmless
// where others need the cores.

#include <atomic>
#include <cstdint>
#include <memory>

#include "weft/runtime/threads.h"

namespace weft {

/// The cores that this process may run on.
int available_cores();

/// The part of 0 .. units - 1 that thread `me` of `threads` takes: contiguous, equal but for one.
struct Share {
  int64_t begin, end;
};
inline Share share_of(int64_t units, int me, int threads) { return {units * me / threads, units * (me + 1) / threads}; }

/// Threads that work together. One caller at a time.
class Team {
 public:
  /// Starts `wanted` - 1 workers, or as many as the system allows; the caller of run() is the other one. `wanted` must be
  /// positive.
  explicit Team(int wanted);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  int threads() const { return threads_.load(std::memory_order_relaxed); }
  int wanted() const { return wanted_; }
  /// Between two rounds: starts the workers that are missing, since the system refused them or a fork left them behind.
  void complete();

  /// Calls work(context, me) once on every thread, me = 0 .. threads() - 1, and returns when all calls have. What was
  /// written before is seen by all of them, and what they write is seen afterwards. `work` must not throw.
  void run(void (*work)(void* context, int me), void* context);

  /// To be called by every thread of the team while it runs: returns when all have called it.
  void barrier() {
    barrier([] {});
  }
  /// The same; the last to come calls alone() before any of them returns. It must not throw.
  template <class Alone>
  void barrier(Alone alone) {
    const int now = passed_.load(std::memory_order_relaxed);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 < threads()) return wait_while(passed_, now);
    alone();
    arrived_.store(0, std::memory_order_relaxed);
    passed_.fetch_add(1, std::memory_order_release);
    passed_.notify_all();
  }

 private:
  void worker(int me, int seen);
  void wait_while(const std::atomic<int>& value, int old) const;

  const int wanted_, spins_;
  std::atomic<int> threads_ = 1;
  void (*work_)(void*, int) = nullptr;
  void* context_ = nullptr;
  std::atomic<bool> stop_ = false;
  alignas(64) std::atomic<int> round_ = 0;    // counts the calls of run
  alignas(64) std::atomic<int> arrived_ = 0;  // threads at the barrier
  alignas(64) std::atomic<int> passed_ = 0;   // counts the barriers
  Workers workers_;
};

/// Borrows an idle team of that many threads (fewer where the system refuses them), and makes one if there is none: programs
/// that run one after the other share their threads, programs that run at once have their own.
class TeamLease {
 public:
  explicit TeamLease(int threads);
  ~TeamLease();
  TeamLease(const TeamLease&) = delete;
  TeamLease& operator=(const TeamLease&) = delete;

  Team& operator*() const { return *team_; }
  Team* operator->() const { return team_.get(); }

 private:
  std::unique_ptr<Team> team_;
};

/// While it lives, libraries with OpenMP inside run on the calling thread alone. The workers of a team always do.
class SerialLibraries {
 public:
  SerialLibraries();
  ~SerialLibraries();
  SerialLibraries(const SerialLibraries&) = delete;
  SerialLibraries& operator=(const SerialLibraries&) = delete;

 private:
  int before_;
};

}  // namespace weft
