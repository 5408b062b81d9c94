#pragma once
// Computes a value again where it is read rather than storing it, where that costs less.
//
//   %a, %t = fused(%p) { exp, .. }              %a = fused(%p) { exp, .. }
//   ..                              becomes     ..
//   %b = fused(%t) { mul, .. }                  %b = fused(%p) { exp, .., mul, .. }
//
// A step keeps what its forward half computed for its backward half, and much of that is a little arithmetic on less: a GELU's
// dozen of intermediate arrays on its operand. For each nest, the values that it reads from other nests and the elementwise ops
// that lead to them are a network whose smallest cut says which values are read from memory and which are computed again: bytes
// that are read and written stand against arithmetic in the same unit. The ops are the same, and so are the bits.
//
// Runs on the nests that `fuse` made, which it leaves as they are otherwise.

#include "weft/ir/module.h"
#include "weft/passes/target.h"

namespace weft::passes {

bool recompute(ir::Module& module, const Target& target);
/// Where that saves so many bytes of traffic in a nest.
bool recompute(ir::Module& module, double least_gain);

}  // namespace weft::passes
