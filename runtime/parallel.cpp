#include "weft/runtime/parallel.h"

#include <sched.h>

#include <algorithm>
#include <mutex>
#include <vector>

// The two functions of libgomp that are needed. clang comes with a header of another OpenMP runtime, or with none.
extern "C" {
void omp_set_num_threads(int);
int omp_get_max_threads();
}

namespace weft {
namespace {

/// Some tens of microseconds on current machines: longer than the gaps inside a step, shorter than a time slice.
constexpr int patience = 2000;

void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

/// The teams that nobody uses right now.
struct IdleTeams {
  ForkSafeMutex mutex;
  std::vector<std::unique_ptr<Team>> teams;
};

IdleTeams& idle_teams() {
  static IdleTeams all;
  return all;
}
[[maybe_unused]] const IdleTeams& made_before_main = idle_teams();

}  // namespace

int available_cores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return 1;
  return std::max(1, CPU_COUNT(&set));
}

Team::Team(int wanted) : wanted_(wanted), spins_(wanted <= available_cores() ? patience : 0) { complete(); }

void Team::complete() {
  int threads = workers_.count() + 1;
  const int seen = round_.load(std::memory_order_relaxed);
  while (threads < wanted_ && workers_.start([this, threads, seen] { worker(threads, seen); })) ++threads;
  threads_.store(threads, std::memory_order_relaxed);
}

Team::~Team() {
  stop_.store(true, std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  workers_.join();
}

void Team::wait_while(const std::atomic<int>& value, int old) const {
  for (int i = 0; i < spins_; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
    relax();
  }
  while (value.load(std::memory_order_acquire) == old) value.wait(old, std::memory_order_acquire);
}

void Team::worker(int me, int seen) {
  omp_set_num_threads(1);
  for (;;) {
    wait_while(round_, seen);
    seen = round_.load(std::memory_order_relaxed);  // the next round waits for this thread's barrier
    if (stop_.load(std::memory_order_relaxed)) return;
    work_(context_, me);
    barrier();
  }
}

void Team::run(void (*work)(void*, int), void* context) {
  work_ = work;
  context_ = context;
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  work(context, 0);
  barrier();
}

TeamLease::TeamLease(int threads) {
  IdleTeams& idle = idle_teams();
  {
    const std::lock_guard lock(idle.mutex);
    const auto fits = [&](const std::unique_ptr<Team>& t) { return t->wanted() == threads; };
    if (const auto found = std::find_if(idle.teams.begin(), idle.teams.end(), fits); found != idle.teams.end()) {
      team_ = std::move(*found);
      *found = std::move(idle.teams.back());
      idle.teams.pop_back();
    }
  }
  if (team_) team_->complete();
  else team_ = std::make_unique<Team>(threads);
}

TeamLease::~TeamLease() {
  IdleTeams& idle = idle_teams();
  const std::lock_guard lock(idle.mutex);
  idle.teams.push_back(std::move(team_));
}

SerialLibraries::SerialLibraries() : before_(omp_get_max_threads()) {
  if (before_ != 1) omp_set_num_threads(1);
}

SerialLibraries::~SerialLibraries() {
  if (before_ != 1) omp_set_num_threads(before_);
}

}  // namespace weft
