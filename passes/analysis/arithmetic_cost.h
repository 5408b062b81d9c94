#pragma once
// What arithmetic costs beside memory: asked where a value can be computed again or stored.

#include "weft/ir/scalar.h"

namespace weft::passes {

/// Of one element in vectors, in bytes that a core reads from memory meanwhile.
constexpr double plain_cost = 0.3, divide_cost = 2, function_cost = 8;

/// 0 for arguments and constants, plain_cost for additions, products, comparisons and the like.
double cost_of(ir::Primitive p);

}  // namespace weft::passes
