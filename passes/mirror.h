#pragma once
// Writes a convolution as the data gradient of another one, where the target runs that faster:
//
//   %y = convolution(%x, %w)    becomes    %v = %w with its kernel flipped and its channels exchanged
//                                          %y = convolution_data(%x, %v)
//
// Both compute the same sums. A library's two kernels differ in how many channels they take at once.
//
// Runs before `layout`, which asks how the op that is left wants its operands.

#include "weft/ir/module.h"
#include "weft/passes/target.h"

namespace weft::passes {

bool mirror(ir::Module& module, const Target& target);

}  // namespace weft::passes
