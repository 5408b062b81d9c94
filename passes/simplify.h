#pragma once
// The small passes that make one graph of two spellings.
//
//   decompose     composite ops become what they are made of
//   canonicalize  algebraic equations, each exact in floating point (passes/rewrites.h)
//   fold          elementwise ops on constants become constants, where the primitives are correctly rounded
//   cse           one of two equal computations stays; it keeps the source lines of both
//   dce           what no output needs goes, hyper-parameters that nothing reads too
//
// They leave every output's value as it was, bit for bit. `simplify` runs canonicalize, fold, cse and dce to a
// fixed point.

#include <functional>

#include "weft/ir/module.h"

namespace weft::passes {

struct Rewrite;

/// Told of every equation that is applied, when given.
using OnRewrite = std::function<void(const Rewrite&)>;

bool decompose(ir::Module& module);
bool canonicalize(ir::Module& module, const OnRewrite& on_rewrite = {});
bool fold(ir::Module& module);
bool cse(ir::Module& module);
bool dce(ir::Module& module);
bool simplify(ir::Module& module, const OnRewrite& on_rewrite = {});

/// Of the ops that satisfy `which`; of all when it is null.
bool cse(ir::Graph& graph, bool (*which)(const ir::Op&) = nullptr);
bool dce(ir::Graph& graph);

}  // namespace weft::passes
