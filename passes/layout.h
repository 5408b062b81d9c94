#pragma once
// Lets values lie in memory as the libraries want them.
//
//   %y = convolution(%x, %w)    becomes    %x' = reshape and transpose of %x, %w' likewise
//   %r = relu(%y)                          %y' = convolution(%x', %w') {x_layout = "aBcd8b", ...}
//                                          %r' = relu(%y')
//
// Only ops that a library runs choose. What they give stays as it lies through elementwise ops, reductions, windows and
// reshapes for as long as nobody wants it row-major, so that between two convolutions nothing is reordered. Reorders are
// ordinary reshapes and transposes: `fuse` takes them into the nests beside them. What an op reads of the graph's inputs
// stays row-major: parameters and states are updated as they lie.
//
// Runs after `simplify`, which would join what is repeated here for each reader, and before `updates` and fusion.

#include "weft/ir/module.h"
#include "weft/passes/target.h"

namespace weft::passes {

class Remarks;

/// Where `remarks` is given, says there what lies otherwise and where values are reordered (passes/layout_remarks.h).
bool layout(ir::Module& module, const Target& target, Remarks* remarks = nullptr);

/// Has the pass asked for the op before, or someone else said how its operands lie? One that is in parts has: its result has an axis more
/// than its layout.
bool has_layout(const ir::Op& op);

}  // namespace weft::passes
