#pragma once
// Elementwise ops whose operands are all splat constants become splats, where the primitives are correctly rounded.

#include "weft/ir/module.h"

namespace weft::passes {

bool fold(ir::Module& module);

}  // namespace weft::passes
