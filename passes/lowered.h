#pragma once
// What a backend may be given. A graph that the passes made satisfies it; a text may say anything.
//
//   * every op is a view, a constant, a heavy op that the target claims (with an epilogue that it accepts, if any), or a region
//   * a `fused` op's body is one loop nest; a `kernel` op's body is `fused` ops, the results of which are, each once, the
//     kernel's results. One that is not serial has no nest that reads another one's result
//   * a loop's body is such a graph, with the loop's scratch memory as its arena
//   * the plan holds: see passes/plan.h
//
// Everything is asked of the ops' definitions and of the target, before anything is lowered.

#include <vector>

#include "weft/ir/module.h"
#include "weft/passes/target.h"

namespace weft::passes {

/// Throws weft::Error naming the op, where it is written and what is wrong with it.
void verify_lowered(const ir::Module& module, const Target& target);

/// The part of it that is about a `fused` or `kernel` op.
void verify_kernel(const ir::Op& op);

/// A kernel or a call, and the op of the graph itself that holds it: the outermost of the loops that it is in, or it itself.
struct LaunchedOp {
  const ir::Op *op, *outermost;
  /// How often a step runs it: the product of the lengths of the loops that it is in.
  int64_t runs = 1;

  /// What it computes and moves in a step, all runs together.
  double flops() const;
  double bytes() const;
};

/// What such a graph runs, in order: its kernels and calls, and where it has a loop, those of the loop's body.
std::vector<LaunchedOp> launched_ops(const ir::Graph& graph);

}  // namespace weft::passes
