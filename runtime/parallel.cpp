#include "weft/runtime/parallel.h"

#include <omp.h>
#include <sched.h>

#include <algorithm>

namespace weft {

int available_cores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return 1;
  return std::max(1, CPU_COUNT(&set));
}

void parallel_units(int threads, int64_t units, void (*work)(void*, int64_t, int64_t), void* context) {
  const int team = static_cast<int>(std::min<int64_t>(threads, units));
  if (team <= 1) {
    if (units > 0) work(context, 0, units);
    return;
  }
#pragma omp parallel num_threads(team)
  {
    // The runtime may give fewer threads than asked for.
    const int64_t count = omp_get_num_threads(), me = omp_get_thread_num();
    work(context, units * me / count, units * (me + 1) / count);
  }
}

LibraryThreads::LibraryThreads(int threads) : before_(omp_get_max_threads()) {
  if (before_ != threads) omp_set_num_threads(threads);
}

LibraryThreads::~LibraryThreads() {
  if (omp_get_max_threads() != before_) omp_set_num_threads(before_);
}

}  // namespace weft
