#pragma once
// The ops that every backend lowers by hand. Private to the reference.

#include <string_view>

#include "weft/backends/reference/kernels.h"

namespace weft::reference {

/// Is there a row for the op?
bool runs_heavy(std::string_view op);

std::vector<Tensor> matmul(const ir::Op& op, Operands operands);
std::vector<Tensor> attention(const ir::Op& op, Operands operands);
std::vector<Tensor> attention_gradient(const ir::Op& op, Operands operands);
Tensor convolution(const ir::Op& op, Operands operands);
Tensor convolution_data(const ir::Op& op, Operands operands);
Tensor convolution_weight(const ir::Op& op, Operands operands);
Tensor gather(const ir::Op& op, Operands operands);
Tensor scatter_add(const ir::Op& op, Operands operands);
Tensor coalesce(const ir::Op& op, Operands operands);
Tensor scatter_rows(const ir::Op& op, Operands operands);
std::vector<Tensor> sort(const ir::Op& op, Operands operands);

}  // namespace weft::reference
