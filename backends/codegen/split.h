#pragma once
// A module of kernels as several that can be compiled at the same time.

#include <llvm/ADT/SmallVector.h>

#include <cstddef>
#include <vector>

namespace llvm {
class Module;
}  // namespace llvm

namespace weft::codegen {

/// A module as LLVM writes it, since a module belongs to a context, and a context to a thread.
using Bitcode = llvm::SmallVector<char, 0>;

/// Between them the modules define what `module` does, each function in one of them but for those that several call and that
/// may be inlined, which all of these have. Functions that are never inlined become visible to the other modules (hidden, not
/// internal), in `module` too. There are as many as come to about `instructions` each, `most` at most, whatever the machine: a
/// program is compiled to the same code everywhere. Throws weft::InternalError for code that does not verify.
std::vector<Bitcode> split(llvm::Module& module, size_t instructions, size_t most);

}  // namespace weft::codegen
