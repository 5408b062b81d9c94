#pragma once
// What an op may overwrite: asked by the passes that place values in memory.

#include "weft/ir/graph.h"

namespace weft::passes {

/// May the op that makes `v` write it over `old` while it runs? Where it reads `old` or a view of it, that must be at
/// the elements that it replaces, and no later part of the op may read them again.
bool may_replace(ir::Value v, ir::Value old);

}  // namespace weft::passes
