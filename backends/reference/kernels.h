#pragma once
// How each kind of op is computed: whole tensors in, a whole tensor out. Private to the reference.

#include "weft/backends/reference/reference.h"
#include "weft/ir/op_def.h"

namespace weft::reference {

/// Operands or inputs, in order.
using Operands = std::span<const Tensor* const>;

Tensor elementwise(const ir::Op& op, Operands operands);
Tensor reduction(const ir::Op& op, const Tensor& x);
Tensor movement(const ir::Op& op, Operands operands);
Tensor constant(const ir::Dense& value);
/// The index along `axis`.
Tensor iota(const ir::Type& type, int64_t axis);
Tensor heavy(const ir::Op& op, Operands operands);

/// x with its axes reordered: axis i of the result is axis permutation[i] of x.
Tensor permuted(const Tensor& x, const Dims& permutation);

/// Runs a graph or body: reference::evaluate without copies of the inputs.
std::vector<Tensor> run(const ir::Graph& graph, Operands inputs);

/// `value` as an element of a floating type holds it.
double rounded(DType dtype, double value);
/// `value` modulo 2^width, as an element of an integer type or of bool (its lowest bit).
int64_t wrapped(DType dtype, int64_t value);
/// Truncated towards zero; beyond the type its nearest extreme, and 0 for nan. To bool: whether `value` is not 0.
int64_t truncated(DType dtype, double value);

}  // namespace weft::reference
