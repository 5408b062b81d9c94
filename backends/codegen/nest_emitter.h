#pragma once
// Emits one loop nest as a function of the processor.

#include "weft/backends/codegen/codegen.h"
#include "weft/ir/graph.h"

namespace weft::codegen {

/// `body` is the body of a `fused` op.
EmittedNest emit_nest(llvm::Module& module, int lanes, const ir::Graph& body, const std::string& name);

}  // namespace weft::codegen
