#pragma once
// Which op of a planned module each call of its program carries out.

#include <vector>

#include "weft/ir/module.h"

namespace weft::program {

/// Per call (Program::calls()), in their order: nests, launches and library calls, those of a loop's body in the place of the loop.
/// Valid as long as the module is.
std::vector<const ir::Op*> launched_ops(const ir::Module& module);

}  // namespace weft::program
