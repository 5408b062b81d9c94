#pragma once
// Which launches of a step all threads share, and where they wait for each other.

#include <vector>

#include "weft/runtime/launch_list.h"

namespace weft::cpu {

struct Sharing {
  int threads = 1;
  std::vector<bool> shared;  // per launch: all threads run it together; the others are thread 0's
  std::vector<bool> waits;   // per launch: there is a barrier before it
  double seconds = 0;        // a step, about
};

/// All threads share the launches that are marked. A launch waits where it conflicts with one since the last wait, unless thread 0 runs
/// both, which it does in order anyway.
Sharing share(const LaunchList& list, std::vector<bool> shared, int threads);

/// How up to so many threads may share out a step; `may_share` marks the launches that have parts for several. The first way is by one
/// thread alone. Others share all that may be shared, or only the launches that save more than a wait costs. Any way gives the same bits.
std::vector<Sharing> ways_to_share(const LaunchList& list, const std::vector<bool>& may_share, int threads);

}  // namespace weft::cpu
