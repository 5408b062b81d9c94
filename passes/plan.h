#pragma once
// Gives every value that is no input, constant or view an offset into one arena. Values that are never live together share
// bytes; an op's result may take over an operand that dies there, where passes/analysis/aliasing.h allows it; outputs stay to
// the end of the step. Each goes to the lowest offset that is free during its life, in the best of some orders: by time and, of
// few values, by size. Sets module.arena_bytes.
//
// Needs the graph as `updates` and `schedule` leave it, or throws weft::Error. Afterwards `verify_plan` holds: every value is
// aligned and inside the arena, no two values live at once overlap, every must-alias is written in place, and every reader of
// an old value comes before its writer.

#include <vector>

#include "weft/ir/module.h"
#include "weft/passes/target.h"

namespace weft::passes {

bool plan(ir::Module& module, const Target& target);

/// Throws weft::Error naming the ops, where they are written, and what is wrong with the plan.
void verify_plan(const ir::Module& module, const Target& target);

/// Bytes of arena values that are live while each op runs, and behind the last one.
std::vector<int64_t> live_bytes(const ir::Graph& graph, const Target& target);
/// The largest number of bytes of arena values that are live at once: no plan can be smaller.
int64_t largest_live_set(const ir::Graph& graph, const Target& target);

}  // namespace weft::passes
