#pragma once
// Cuts library calls into parts for threads, and gives them memory to work in.
//
//   %y = matmul(%x, %w)  becomes  %y, %scratch = matmul(%x, %w) {slices = 2, scratch = 8192} : f32[..], u8[8192]
//
// The target says how many slices pay and what scratch they need; both are part of the plan from here on, so equal text
// gives equal bits whatever the number of threads. Scratch is an ordinary value that nobody reads: `plan` places it like
// any other. Runs before `schedule`, which weighs what is live, and after `epilogue` and `fuse`, which change the calls.

#include "weft/ir/module.h"
#include "weft/passes/remarks.h"
#include "weft/passes/target.h"

namespace weft::passes {

bool partition(ir::Module& module, const Target& target);

/// Says of each call which of the library's implementations runs it, where the target knows, and whether these are plain loops, however
/// its operands were laid.
void remark_on_implementations(const ir::Module& module, const Target& target, Remarks& to);

}  // namespace weft::passes
