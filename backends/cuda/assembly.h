#pragma once
// LLVM IR to PTX.

#include <memory>
#include <string>
#include <string_view>

namespace llvm {
class LLVMContext;
class Module;
class TargetMachine;
}  // namespace llvm

namespace weft::cuda {

/// The oldest architecture that code is for where nothing says which: it has bf16, and products of it.
inline constexpr std::string_view default_arch = "sm_80";

/// Throws weft::Error unless `arch` is one that LLVM writes code for: "sm_70" or newer.
void require_known_arch(const std::string& arch);
/// The newest that LLVM writes code for and that runs on a device which is `arch`.
std::string known_arch_for(const std::string& arch);

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
