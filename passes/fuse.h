#pragma once
// Fusion: everything but contractions becomes loop nests.
//
//   fuse     ops -> `fused` ops, one loop nest each. Two groups become one when their ops form one nest
//            (passes/analysis/loop_nest.h), nothing outside both must run between them, and the memory traffic goes down: the
//            largest saved value first, sums of everything after other consumers, readers of the same value after
//            producers with consumers. Broadcasts, constants, indices, views of memory and a little single-element arithmetic
//            are repeated in every group that reads them. Afterwards every op that the target does not claim is in a
//            `fused` op, alone if need be.
//
// `remarks`, when given, gets one for each boundary: between a kernel, or a call of the target's own, and another one that reads what
// it makes ("->"), and between two kernels that read the same ("beside"). Each says the one reason that decides, where there would be
// none, and what it costs; the most costly come first.

#include <vector>

#include "weft/ir/module.h"
#include "weft/passes/remarks.h"
#include "weft/passes/target.h"

namespace weft::passes {

bool fuse(ir::Module& module, const Target& target, Remarks* remarks = nullptr);

/// Where ops become one nest.
enum class Merge { where_it_pays, nowhere };
bool fuse(ir::Graph& graph, Remarks* remarks, Merge merge);

/// Makes a `fused` op of them: see outline() (passes/analysis/groups.h).
ir::Op& make_nest(ir::Graph& graph, const std::vector<ir::Op*>& ops, const std::vector<ir::Value>& results);
/// The ops of a nest or kernel take its place. Of a value that it gives twice, as where equal ops became one inside, an output gets a
/// copy: both may be written in place of something else.
void take_out(ir::Op& region);

}  // namespace weft::passes
