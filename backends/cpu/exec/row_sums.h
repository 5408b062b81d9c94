#pragma once
// Segment sums: sums of rows that an index picks.

#include <cstddef>
#include <cstdint>
#include <span>

#include "weft/support/dtype.h"

namespace weft::cpu {

/// Adds to the row at `to`, of so many elements, the sum of the rows of `from` at these places. The sum is taken in their
/// order and in the pieces of support/reduction_order.h, as of one lane, those of narrow types in f32.
void add_row_sum(DType dtype, std::byte* to, const std::byte* from, std::span<const int64_t> places, int64_t elements);

}  // namespace weft::cpu
