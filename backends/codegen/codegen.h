#pragma once
// Loop nests and scalar expressions to LLVM IR, for any LLVM target.
//
// A kernel is a function `void name(ptr buffers, i64 begin, i64 end)`: `buffers` holds one pointer per operand, then
// one per result, and the kernel runs its work units begin to end - 1. Units are independent of each other, so threads
// may share them out; how they are shared out changes no bit of the result.
//
// Vectors are always 16 lanes wide in the IR and LLVM splits them to what the machine has, so 128, 256 and 512 bits
// compute the same.

#include <cstdint>
#include <string>

#include "weft/ir/graph.h"

namespace llvm {
class Module;
}

namespace weft::codegen {

inline constexpr int lanes = 16;

/// Adds the function for a `fused` or `kernel` op to `module`; returns its number of work units.
int64_t emit_kernel(llvm::Module& module, const ir::Op& op, const std::string& name);

}  // namespace weft::codegen
