#pragma once
// Compiles an LLVM module in this process.

#include <memory>
#include <string>
#include <vector>

#include "weft/backends/program/kernel_text.h"

namespace llvm {
class LLVMContext;
class Module;
}  // namespace llvm

namespace weft::cpu {

class Jit {
 public:
  /// `max_isa`: see exec/isa.h. Throws weft::Error for an instruction set that the machine lacks.
  explicit Jit(const std::string& max_isa);
  ~Jit();

  /// A module to emit kernels into, of this target.
  llvm::Module& module();
  /// Optimizes and compiles everything in module(). The code lives as long as the Jit.
  void finish(const std::vector<std::string>& kernels, std::vector<KernelText>* texts);
  /// The address of a kernel, after finish().
  void* address(const std::string& kernel) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weft::cpu
