#pragma once
// How each kind of op is computed: whole tensors in, a whole tensor out. Private to the reference.

#include "weft/backends/reference/reference.h"
#include "weft/ir/op_def.h"
#include "weft/ir/scalar_evaluation.h"
#include "weft/support/conversion.h"

namespace weft::reference {

/// Operands or inputs, in order.
using Operands = std::span<const Tensor* const>;

Tensor elementwise(const ir::Op& op, Operands operands);
Tensor reduction(const ir::Op& op, const Tensor& x);
Tensor movement(const ir::Op& op, Operands operands);
Tensor constant(const ir::Dense& value);
/// The index along `axis`.
Tensor iota(const ir::Type& type, int64_t axis);
std::vector<Tensor> heavy(const ir::Op& op, Operands operands);
/// Its body, step by step.
std::vector<Tensor> scan(const ir::Op& op, Operands operands);

/// x with its axes reordered: axis i of the result is axis permutation[i] of x.
Tensor permuted(const Tensor& x, const Dims& permutation);

/// The elements from number `first` on.
ir::ScalarElements elements_of(const Tensor& t, size_t first = 0);

/// Runs a graph or body: reference::evaluate without copies of the inputs.
std::vector<Tensor> run(const ir::Graph& graph, Operands inputs);

}  // namespace weft::reference
