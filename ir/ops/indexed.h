#pragma once
// What ops that read or write by index share. Private to ir/ops.

#include "weft/ir/op_def.h"

namespace weft::ir {

/// x's shape with `axis` replaced by the index's axes.
Shape gathered_shape(const Shape& x, const Shape& index, int64_t axis);

/// Memory to sort the index in, which a target may plan: a second result, which nobody reads.
AttributeSpec index_scratch();
std::vector<Type> with_index_scratch(const InferContext& c, const Type& result);

}  // namespace weft::ir
