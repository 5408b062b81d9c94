#pragma once
// Elements along an axis by an index that is computed, one for each place along the other axes.

#include "weft/ir/builder.h"

namespace weft::ir {

/// The places in a tensor of shape x, flattened, of what the index, which has as many axes, names along the axis and its own place along
/// the others; flattened too: -1, which is none, where the index is out of range.
Value places_along_axis(Builder& b, Value index, const Shape& x, int axis);

/// v's elements in a row.
Value flattened(Builder& b, Value v);

}  // namespace weft::ir
