#pragma once
// Gives convolutions more channels, of zeros, where the target runs as many faster than those that there are:
//
//   %y = convolution(%x, %w)    becomes    %x' = pad of %x, %w' = pad of %w
//                                          %y' = convolution(%x', %w')
//                                          %y = slice of %y'
//
// and so for the two gradients. Libraries compute whole vectors of channels; for numbers that do not fill them many have but products of
// matrices, for which they copy the windows together. What is added are products with 0 in sums, and results that nobody reads.
//
// Runs after `mirror` and before `layout`: numbers that fill blocks are what lies in them.

#include "weft/ir/module.h"
#include "weft/passes/target.h"

namespace weft::passes {

bool pad_channels(ir::Module& module, const Target& target);

}  // namespace weft::passes
