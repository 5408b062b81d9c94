#include "weft/backends/cpu/exec/sharing.h"

#include <unistd.h>

#include <algorithm>
#include <numeric>

#include "weft/backends/cpu/exec/rates.h"

namespace weft::cpu {
namespace {

// Of processors of these years. That a step shares too little for them loses little; one that shares too much waits for a thread where
// others need the core.
constexpr double exchanged_per_second = 8e9;  // bytes that another core wrote
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

double alone_seconds(const Launch& l) { return std::max(l.flops / flops_per_second, l.bytes / bytes_per_second); }

double passes_of(const LaunchList& list, size_t launch) {
  const Dims passes = passes_around(list, launch);
  return static_cast<double>(std::accumulate(passes.begin(), passes.end(), int64_t{1}, std::multiplies<>()));
}

/// All threads wait where a pass of a loop begins and where the loop has ended, too.
std::vector<bool> waits_of(const LaunchList& list, const std::vector<bool>& shared) {
  std::vector<Launch> all(list.launches.size());
  for (size_t i = 0; i < all.size(); ++i) {
    const Dims passes = passes_around(list, i);
    for (const BufferPlace& place : list.launches[i].buffers) all[i].buffers.push_back(place.over_all(passes));
  }
  std::vector<bool> waits(all.size(), false);
  size_t first = 0;
  for (size_t i = 0; i < all.size(); ++i) {
    for (const LaunchLoop& loop : list.loops) {
      if (loop.first == i) first = i;
      if (loop.last == i) waits[i] = true, first = i;
    }
    for (size_t k = first; k < i && !waits[i]; ++k)
      if ((shared[i] || shared[k]) && all[i].conflicts(all[k])) waits[i] = true, first = i;
  }
  return waits;
}

/// Where all that the step touches fits into the cache of one core, what another core wrote is read from there, which takes longer
/// than much of what a small step computes from it.
double seconds_of(const LaunchList& list, const Sharing& sharing) {
  const double others = 1 - 1.0 / sharing.threads;  // their part of what is shared
  const bool exchanges = bytes_touched(list) <= cache_bytes();
  double seconds = sharing.threads > 1 ? begin_seconds : 0;
  for (size_t i = 0; i < list.launches.size(); ++i) {
    const Launch& l = list.launches[i];
    const double passes = passes_of(list, i);
    seconds += alone_seconds(l);
    if (sharing.waits[i]) seconds += wait_seconds * passes;
    if (!sharing.shared[i]) continue;
    seconds -= others * alone_seconds(l);
    if (exchanges) seconds += others * l.bytes / exchanged_per_second;
  }
  if (sharing.threads > 1)
    for (const LaunchLoop& loop : list.loops) seconds += wait_seconds * passes_of(list, loop.first);
  return seconds;
}

}  // namespace

Sharing share(const LaunchList& list, std::vector<bool> shared, int threads) {
  Sharing sharing{threads, std::move(shared), {}};
  sharing.waits = threads > 1 ? waits_of(list, sharing.shared) : std::vector<bool>(list.launches.size(), false);
  sharing.seconds = seconds_of(list, sharing);
  return sharing;
}

std::vector<Sharing> ways_to_share(const LaunchList& list, const std::vector<bool>& may_share, int threads) {
  std::vector<Sharing> ways{share(list, std::vector<bool>(list.launches.size(), false), 1)};
  std::vector<bool> large = may_share;
  for (size_t i = 0; i < large.size(); ++i)
    large[i] = large[i] && (1 - 1.0 / threads) * alone_seconds(list.launches[i]) > wait_seconds * passes_of(list, i);
  for (const std::vector<bool>& shared : {may_share, large}) {
    const bool is_new = std::none_of(ways.begin(), ways.end(), [&](const Sharing& way) { return way.shared == shared; });
    if (threads > 1 && is_new) ways.push_back(share(list, shared, threads));
  }
  return ways;
}

}  // namespace weft::cpu
