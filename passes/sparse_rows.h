#pragma once
// A gradient as the rows that it consists of, for updates that leave all other rows alone.
//
//   %a = row_sparse(%i, %r) : f32[1000,8]                      index concat(%i, %j)
//   %b = row_sparse(%j, %s) : f32[1000,8]               =>     rows  concat(%r, mul(%s, broadcast(%f)))
//   %g = add(%a, mul(%b, broadcast(%f))) : f32[1000,8]
//
// Sums of row-sparse tensors and their products with one number for all elements are row-sparse; anything else is dense.

#include <string>

#include "weft/ir/graph.h"

namespace weft::passes {

struct SparseRows {
  ir::Value index;  // i64 [...]
  ir::Value rows;   // [..., the gradient's axes but the first]
};

/// Adds the ops that the rows need. Throws weft::Error that begins with `wanted` and names the op that makes the gradient dense and
/// its line.
SparseRows rows_of(ir::Graph& graph, ir::Value gradient, const std::string& wanted);

}  // namespace weft::passes
