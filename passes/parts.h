#pragma once
// Cuts sums inside library calls, so that threads compute parts of them on their own.
//
//   %w = convolution_weight(%x, %y)   becomes   %p = convolution_weight(%x, %y) {parts = 2} : f32[2,..], %w = sum(%p)
//
// The target says how many parts pay. The sum is an ordinary reduction: it comes behind a transpose that alone reads it,
// to be one nest with it, and `fuse` may take it further. Runs after `layout` and before `fuse`.

#include "weft/ir/module.h"
#include "weft/passes/target.h"

namespace weft::passes {

bool parts(ir::Module& module, const Target& target);

}  // namespace weft::passes
