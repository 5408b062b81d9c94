#pragma once
// Calls of the target's own read and write where values lie: slices, transposes, broadcasts and splits of axes in front of one become a
// view of what is in memory anyway, and a transpose behind one the order in which its result is written.

#include "weft/ir/module.h"
#include "weft/passes/target.h"

namespace weft::passes {

/// Returns whether anything changed.
bool views(ir::Module& module, const Target& target);

}  // namespace weft::passes
