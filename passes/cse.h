#pragma once
// One of two equal computations stays; it keeps the source lines of both.

#include "weft/ir/module.h"

namespace weft::passes {

bool cse(ir::Module& module);
/// Of the ops that satisfy `which`; of all when it is null.
bool cse(ir::Graph& graph, bool (*which)(const ir::Op&) = nullptr);

}  // namespace weft::passes
