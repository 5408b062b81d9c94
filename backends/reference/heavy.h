#pragma once
// The ops that every backend lowers by hand. Private to the reference.

#include "weft/backends/reference/kernels.h"

namespace weft::reference {

Tensor matmul(const ir::Op& op, Operands operands);
Tensor convolution(const ir::Op& op, Operands operands);
Tensor convolution_data(const ir::Op& op, Operands operands);
Tensor convolution_weight(const ir::Op& op, Operands operands);
Tensor gather(const ir::Op& op, Operands operands);
Tensor scatter_add(const ir::Op& op, Operands operands);
Tensor coalesce(const ir::Op& op, Operands operands);
Tensor scatter_rows(const ir::Op& op, Operands operands);

}  // namespace weft::reference
