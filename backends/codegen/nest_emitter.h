#pragma once
// Emits one loop nest as an LLVM function.

#include "weft/backends/codegen/code_shape.h"
#include "weft/ir/graph.h"

namespace weft::codegen {

/// `body` is the body of a `fused` op. Input i is at buffers[numbers[i]], and the outputs follow, unless the shape shares
/// nests: then the numbers are the function's last argument.
EmittedNest emit_nest(llvm::Module& module, const CodeShape& shape, const ir::Graph& body, const std::string& name,
                      std::span<const int> numbers);

}  // namespace weft::codegen
