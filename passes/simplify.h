#pragma once
// The small passes that make one graph of two spellings, to a fixed point: canonicalize, fold, cse and dce.
//
// They leave every output's value as it was, bit for bit.

#include "weft/passes/canonicalize.h"

namespace weft::passes {

bool simplify(ir::Module& module, const OnRewrite& on_rewrite = {});

}  // namespace weft::passes
