#include "weft/backends/cpu/exec/threads_that_pay.h"

#include <unistd.h>

#include <algorithm>
#include <numeric>

namespace weft::cpu {
namespace {

// Of processors of these years, so that a step near the edge runs on one thread: what that loses is little, and a thread that is waited
// for where others need the core loses more.
constexpr double flops_per_second = 1e11, bytes_per_second = 4e10;  // of one thread, out of its cache
constexpr double exchanged_per_second = 8e9;                        // bytes that another core wrote
constexpr double wait_seconds = 1e-6, begin_seconds = 3e-6;

/// Of one core: its second level, or what the smallest have where the system does not say.
double cache_bytes() {
  static const long bytes = sysconf(_SC_LEVEL2_CACHE_SIZE);
  return bytes > 0 ? static_cast<double>(bytes) : 256 << 10;
}

/// All that a step reads and writes.
double bytes_touched(const LaunchList& list) {
  auto bytes = static_cast<double>(list.arena_bytes);
  for (const Port& input : list.inputs) bytes += static_cast<double>(input.bytes());
  for (const Array& constant : list.constants) bytes += static_cast<double>(constant.bytes());
  return bytes;
}

}  // namespace

int threads_that_pay(const LaunchList& list, const std::vector<size_t>& shared, int threads) {
  if (threads <= 1 || shared.empty()) return 1;
  const double others = 1 - 1.0 / threads;  // their part of what is shared
  const bool exchanges = bytes_touched(list) <= cache_bytes();
  double saved = -begin_seconds;
  for (size_t i : shared) {
    const Launch& l = list.launches[i];
    const Dims passes = passes_around(list, i);
    saved += others * std::max(l.flops / flops_per_second, l.bytes / bytes_per_second);
    saved -= wait_seconds * static_cast<double>(std::accumulate(passes.begin(), passes.end(), int64_t{1}, std::multiplies<>()));
    if (exchanges) saved -= others * l.bytes / exchanged_per_second;
  }
  return saved > 0 ? threads : 1;
}

}  // namespace weft::cpu
