#pragma once
// Counts what passes do: ops visited, edges followed, intervals compared. Compile time is to grow with the number of ops,
// and a test can assert that of counts, not of seconds. Whoever walks anything that may grow with the program counts.

#include <cstdint>

namespace weft {

namespace detail {
inline thread_local int64_t work = 0;
}

inline void count_work(int64_t steps) { detail::work += steps; }
/// All that this thread has counted; differences say what a piece of work took.
inline int64_t counted_work() { return detail::work; }

}  // namespace weft
