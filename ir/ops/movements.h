#pragma once
// Movements that several definitions need.

#include "weft/ir/builder.h"

namespace weft::ir {

/// v with `low` zeros before and `high` after it along the axis; where negative, so many elements less.
Value pad_or_crop(Builder& b, Value v, int axis, int64_t low, int64_t high);

/// v moved `by` places along the axis, towards its end or, where negative, its start; `fill` stands where nothing came. The shape stays.
Value shifted(Builder& b, Value v, int axis, int64_t by, double fill);

/// Each element combined with all that stand before it along the axis, or with `from_end` behind it, by the associative elementwise op
/// of this name, of which `neutral` is the neutral element: log2(extent) times with what stands a power of two away (Hillis and Steele
/// 1986). So sums are as exact as a tree's, and every derivative is one of elementwise ops.
Value scan(Builder& b, Value v, int axis, std::string_view op, double neutral, bool from_end = false);

/// v with stride - 1 zeros between neighbours along the axis.
Value pad_interior(Builder& b, Value v, int axis, int64_t stride);

}  // namespace weft::ir
