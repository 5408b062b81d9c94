#pragma once
// Where scores for classes have their classes, in losses, in metrics and in what decides which class is taken.

#include "weft/support/shape.h"

namespace weft::ir {

/// Of scores [N, C, ...] axis 1, of one sample's [C] axis 0; as in PyTorch.
inline int64_t class_axis(const Shape& scores) { return scores.rank() == 1 ? 0 : 1; }

}  // namespace weft::ir
