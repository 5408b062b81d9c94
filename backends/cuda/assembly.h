#pragma once
// LLVM IR to PTX.

#include <memory>
#include <string>

namespace llvm {
class LLVMContext;
class Module;
class TargetMachine;
}  // namespace llvm

namespace weft::cuda {

/// A module of entry points that becomes one text.
class Assembly {
 public:
  /// Throws weft::Error for an architecture that is older than "sm_70" or unknown. `buffers`: the most that an entry point takes.
  Assembly(const std::string& arch, int buffers);
  ~Assembly();

  llvm::Module& module() { return *module_; }
  /// Optimizes what the module holds and writes it as PTX.
  std::string finish();

 private:
  std::unique_ptr<llvm::TargetMachine> machine_;
  std::unique_ptr<llvm::LLVMContext> context_;
  std::unique_ptr<llvm::Module> module_;
};

/// Do the module's GPUs have mma.sync for bf16? Those of an Assembly for sm_80 or newer do; of another module nothing is known.
bool multiplies_bf16_matrices(const llvm::Module& module);

}  // namespace weft::cuda
