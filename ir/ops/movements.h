#pragma once
// Movements that several definitions need.

#include "weft/ir/builder.h"

namespace weft::ir {

/// v with `low` zeros before and `high` after it along the axis; where negative, so many elements less.
Value pad_or_crop(Builder& b, Value v, int axis, int64_t low, int64_t high);

/// v with stride - 1 zeros between neighbours along the axis.
Value pad_interior(Builder& b, Value v, int axis, int64_t stride);

}  // namespace weft::ir
