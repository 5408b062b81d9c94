#pragma once
// Horizontal fusion: `fused` ops become `kernel` ops, run by one launch: nests whose results nobody waits for within the step
// (all parameters' updates), and nests too small to be worth a launch each that can run at the same stage of the step, between
// the same library calls and large nests, which then run in order on one thread.

#include "weft/ir/module.h"
#include "weft/passes/target.h"

namespace weft::passes {

bool launch(ir::Module& module, const Target& target);

}  // namespace weft::passes
