#pragma once
// Structural equality: same inputs, ops in the same order with equal attributes, operands and bodies, same outputs.
// The names of op results do not exist, so they do not matter.

#include "weft/ir/module.h"

namespace weft::ir {

enum class Compare { everything, ignore_locations };

bool equal(const Graph& a, const Graph& b, Compare what = Compare::everything);
bool equal(const Module& a, const Module& b, Compare what = Compare::everything);
/// Same definition, attributes and bodies; operands are not looked at.
bool same_computation(const Op& a, const Op& b);
size_t computation_hash(const Op& op);

}  // namespace weft::ir
