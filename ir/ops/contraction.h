#pragma once
// What a product asks for, read from its op: shared by the definition, the passes and the backends.

#include "weft/ir/graph.h"
#include "weft/support/matrix_product.h"

namespace weft::ir {

/// Of an op matmul.
MatrixProduct matrix_product_of(const Op& op);

}  // namespace weft::ir
