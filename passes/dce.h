#pragma once
// What no output needs goes; of a module the hyper-parameters that nothing reads too.

#include "weft/ir/module.h"

namespace weft::passes {

bool dce(ir::Module& module);
bool dce(ir::Graph& graph);

}  // namespace weft::passes
