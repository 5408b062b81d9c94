#pragma once
// What a convolution op asks for, read from its attributes: shared by the definitions and the backends.

#include "weft/ir/graph.h"
#include "weft/support/convolution.h"

namespace weft::ir {

/// The convolution that an op convolution, convolution_data or convolution_weight is a part of.
Convolution convolution_of(const Op& op);

}  // namespace weft::ir
