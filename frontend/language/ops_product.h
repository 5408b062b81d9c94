#pragma once
// Products of vectors and matrices, and contractions. Names and semantics follow torch.<name>; element types must be equal.
//
// Every function throws weft::Error naming the op, what it requires, the operands' types and the user's line.

#include <string>
#include <vector>

#include "weft/frontend/language/tensor.h"

namespace weft {

/// torch.matmul: vectors, matrices and batches of them; leading axes broadcast.
Tensor matmul(Arg a, Arg b);
/// x [..., in], weight [out, in], bias [out]: x weight^T + bias (torch.nn.functional.linear).
Tensor linear(Arg x, Arg weight, Arg bias);
Tensor linear(Arg x, Arg weight);

Tensor dot(Arg a, Arg b);    // vectors
Tensor outer(Arg a, Arg b);  // vectors
Tensor mv(Arg a, Arg b);     // a matrix and a vector
Tensor mm(Arg a, Arg b);     // matrices
Tensor bmm(Arg a, Arg b);    // [n, ..., ...]: n products of matrices
/// Sums of products over the axes of equal letters that the result does not name: "bij,bjk->bik". Without "->" the result has the
/// letters that stand once, in the alphabet's order. "..." stands for axes that broadcast; a letter that an operand has twice takes its
/// diagonal. Operands are contracted from the left, each pair as one batched matrix product.
Tensor einsum(std::string equation, const std::vector<Arg>& operands, std::source_location at = std::source_location::current());
/// The last `axes` axes of a against the first ones of b, or these of each, in order.
Tensor tensordot(Arg a, Arg b, int64_t axes = 2);
Tensor tensordot(Arg a, Arg b, Dims axes_a, Dims axes_b);
/// The vector product along an axis of extent 3 (torch.linalg.cross); shapes broadcast.
Tensor cross(Arg a, Arg b, int64_t axis = -1);
/// The sum of the diagonal of a matrix.
Tensor trace(Arg x);

}  // namespace weft
