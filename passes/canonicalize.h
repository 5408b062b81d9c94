#pragma once
// Applies the algebraic equations once, each exact in floating point (passes/rewrites.h).

#include <functional>

#include "weft/ir/module.h"

namespace weft::passes {

struct Rewrite;

/// Told of every equation that is applied, when given.
using OnRewrite = std::function<void(const Rewrite&)>;

bool canonicalize(ir::Module& module, const OnRewrite& on_rewrite = {});

}  // namespace weft::passes
