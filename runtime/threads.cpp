#include "weft/runtime/threads.h"

#include <pthread.h>

#include <atomic>

namespace weft {
namespace {

std::atomic<uint64_t> forks = 0;

/// What whoever forks locks.
struct Locks {
  std::mutex mutex;  // guards the list, and is locked first
  std::vector<ForkSafeMutex*> all;
};

Locks& locks() {
  static auto* const all = new Locks;  // never destroyed: static objects may need it while the process ends
  return *all;
}

void before_fork() {
  locks().mutex.lock();
  for (ForkSafeMutex* m : locks().all) m->lock();
}

void after_fork() {
  for (ForkSafeMutex* m : locks().all) m->unlock();
  locks().mutex.unlock();
}

void in_child() {
  forks.fetch_add(1, std::memory_order_relaxed);
  after_fork();
}

struct Kept {
  ForkSafeMutex mutex;
  std::vector<std::shared_ptr<void>> all;
};

Kept& all_kept() {
  static auto* const kept = new Kept;  // never destroyed
  return *kept;
}
[[maybe_unused]] const Kept& made_before_main = all_kept();

[[maybe_unused]] const int installed = pthread_atfork(before_fork, after_fork, in_child);

}  // namespace

uint64_t fork_count() { return forks.load(std::memory_order_relaxed); }

void keep_for_ever(std::shared_ptr<void> what) {
  Kept& kept = all_kept();
  const std::lock_guard lock(kept.mutex);
  kept.all.push_back(std::move(what));
}

ForkSafeMutex::ForkSafeMutex() {
  const std::lock_guard lock(locks().mutex);
  locks().all.push_back(this);
}

void Workers::join() {
  forget_left_behind();
  for (std::thread& t : threads_) t.join();
  threads_.clear();
}

void Workers::forget_left_behind() {
  if (born_ == fork_count()) return;
  // Neither joined nor detached: what a child has of them is memory that may be another thread's by now.
  keep_for_ever(std::make_shared<std::vector<std::thread>>(std::exchange(threads_, {})));
  born_ = fork_count();
}

}  // namespace weft
