#pragma once
// What ops that read or write by index share. Private to ir/ops.

#include "weft/ir/type.h"

namespace weft::ir {

/// x's shape with `axis` replaced by the index's axes.
Shape gathered_shape(const Shape& x, const Shape& index, int64_t axis);

}  // namespace weft::ir
