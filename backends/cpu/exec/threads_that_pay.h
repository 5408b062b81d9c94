#pragma once
// Whether a step is worth several threads at all.

#include <vector>

#include "weft/runtime/launch_list.h"

namespace weft::cpu {

/// `threads`, or 1 where all launches of a step are done sooner by one thread than by several: `shared` are the numbers of those that
/// several would run. What they save is weighed against their waiting for each other and, where all that the step touches fits into
/// the cache of one core, against what then goes from one core's cache to another's: a line that another core wrote takes longer
/// than much of what a small step computes from it. It decides over time alone: any number of threads gives the same bits.
int threads_that_pay(const LaunchList& list, const std::vector<size_t>& shared, int threads);

}  // namespace weft::cpu
