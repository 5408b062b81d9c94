#pragma once
// What loops (ir/ops/loop.h) need before they are planned, and how passes come to their bodies.

#include <functional>

#include "weft/ir/module.h"

namespace weft::passes {

/// The pass: what a loop carries starts as a copy that only it reads, which it may write over; and its body gets an input for each
/// slice that it makes, which the slice replaces. To the other passes a body's results are updates, as a program's are.
bool loops(ir::Module& module);

/// Runs `visit` on each loop's body, as a module whose arena is the loop's scratch memory; returns whether it changed any.
bool on_loop_bodies(ir::Module& module, const std::function<bool(ir::Module&)>& visit);

/// A copy of a loop's body as such a module.
ir::Module module_of_body(const ir::Op& loop);

/// A program in which loops are written out has at most so many ops: more would take all memory before anything ran.
inline constexpr int64_t most_ops_written_out = int64_t{1} << 20;

/// Puts its body's ops, one copy of them for each step, in the place of the loop. Throws weft::Error, naming the loop and its line, where
/// the program would get more than most_ops_written_out.
void write_out(ir::Op& loop);

}  // namespace weft::passes
