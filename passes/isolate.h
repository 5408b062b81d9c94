#pragma once
// Every op its own `fused` op: what `fuse` must agree with, bit for bit.

#include "weft/ir/module.h"

namespace weft::passes {

bool isolate(ir::Module& module);

}  // namespace weft::passes
