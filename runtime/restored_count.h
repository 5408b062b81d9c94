#pragma once
// Counts among the numbers that schedules and their like keep in a checkpoint.

#include <cstdint>

namespace weft::detail {

/// The largest that is kept: beyond it doubles have gaps. No training comes so far, and what is added to it does not overflow.
constexpr int64_t largest_count = int64_t{1} << 53;

/// The count that a progress() gave as a number; throws weft::Error unless it is an integer from 0 to largest_count.
int64_t restored_count(double number);

}  // namespace weft::detail
