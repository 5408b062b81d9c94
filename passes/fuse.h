#pragma once
// Fusion: everything but contractions becomes loop nests.
//
//   fuse     ops -> `fused` ops, one loop nest each. Two groups become one when their ops form one nest
//            (passes/loop_nest.h), nothing outside both must run between them, and the memory traffic goes down: the
//            largest saved value first, sums of everything after other consumers, readers of the same value after
//            producers with consumers. Broadcasts, constants, indices and a little single-element arithmetic are
//            repeated in every group that reads them. Afterwards every op that the target does not claim is in a
//            `fused` op, alone if need be.
//   isolate  every op its own `fused` op: what `fuse` must agree with, bit for bit
//   launch   `fused` ops -> `kernel` ops, run by one launch: nests whose results nobody waits for within the step
//            (all parameters' updates), and nests too small to be worth a launch each that can run at the same stage of
//            the step, between the same library calls and large nests, which then run in order on one thread.
//
// `remarks`, when given, gets a line for each edge that was not fused, and why: between a value's maker and its reader
// ("->"), between two readers of one value ("beside"), and where one end is no part of a nest.

#include <string>
#include <vector>

#include "weft/ir/module.h"
#include "weft/passes/target.h"

namespace weft::passes {

bool fuse(ir::Module& module, const Target& target, std::vector<std::string>* remarks = nullptr);
bool isolate(ir::Module& module);
bool launch(ir::Module& module, const Target& target);

}  // namespace weft::passes
