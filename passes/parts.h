#pragma once
// Split-k: cuts sums inside library calls and long reductions to few numbers, so that threads compute parts of them on their own.
//
//   %w = convolution_weight(%x, %y)   becomes   %p = convolution_weight(%x, %y) {parts = 2} : f32[2,..], %w = sum(%p)
//
// The target says how many parts pay. The sum is an ordinary reduction: it comes behind a transpose that alone reads it,
// to be one nest with it, and `fuse` may take it further. Runs after `layout` and before `fuse`.
//
//   %s = sum(%x) {axes = [0,1]}       becomes   %p = sum(%x) {axes = [1]}, %s = sum(%p) {axes = [0]}
//
// for fewer than 4 results of 2^17 elements each and more. The parts follow from the shape alone: a whole reduced axis, else
// the smallest divisor of one from 64 on, else 64 parts and what is left over. Those of narrow types are f32.

#include "weft/ir/module.h"
#include "weft/passes/target.h"

namespace weft::passes {

bool parts(ir::Module& module, const Target& target);
/// The second half of it.
bool cut_long_reductions(ir::Graph& graph);

}  // namespace weft::passes
