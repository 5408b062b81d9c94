#pragma once
// Emits one loop nest as an LLVM function.

#include <span>
#include <string>

#include "weft/backends/codegen/loops.h"
#include "weft/ir/graph.h"

namespace llvm {
class Function;
class Module;
}

namespace weft::codegen {

struct EmittedNest {
  llvm::Function* function;
  int64_t units;
};

/// `body` is the body of a `fused` op. Input i is at buffers[inputs[i]], output i at buffers[outputs[i]].
EmittedNest emit_nest(llvm::Module& module, const ir::Graph& body, const std::string& name,
                      std::span<const int> inputs, std::span<const int> outputs);

}  // namespace weft::codegen
