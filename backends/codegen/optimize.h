#pragma once
// LLVM's passes over emitted kernels, the same for every target.

namespace llvm {
class Module;
class TargetMachine;
}  // namespace llvm

namespace weft::codegen {

/// Throws weft::InternalError for code that does not verify.
void verify(const llvm::Module& module);

/// Verifies the module, then optimizes it for the machine.
void optimize(llvm::Module& module, llvm::TargetMachine& machine);

}  // namespace weft::codegen
