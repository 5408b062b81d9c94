#pragma once
// Composite ops become what they are made of.

#include "weft/ir/module.h"

namespace weft::passes {

bool decompose(ir::Module& module);

}  // namespace weft::passes
