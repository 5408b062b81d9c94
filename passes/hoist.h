#pragma once
// Moves out of loops (ir/ops/loop.h) what is the same in every step: it is computed once, before the loop, which reads it.
//
//   scan(%h, %xs, %w) {                     %c = cast(%w)
//     %0 = cast(%w)                         scan(%h, %xs, %c) {
//     %1 = matmul(%x, %0)                     %1 = matmul(%x, %c)
//
// Constants, and what only shows a value in another form (views, transposes, slices, repetitions), stay where they are read; so does
// arithmetic whose result is larger than all that it follows from, where no call needs that in memory: to read it anew in every step
// takes longer than to compute it.
//
// Runs before `simplify`, which finds what is then equal to something outside, or read by nobody.

#include "weft/ir/module.h"

namespace weft::passes {

bool hoist(ir::Module& module);

}  // namespace weft::passes
