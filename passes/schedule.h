#pragma once
// Sorts the ops: dependencies first (read before write included), then what keeps fewest bytes live.

#include "weft/ir/module.h"

namespace weft::passes {

bool schedule(ir::Module& module);

}  // namespace weft::passes
