#pragma once
// Compiles an LLVM module of kernels to machine code.

#include <memory>
#include <string>
#include <vector>

#include "weft/backends/program/kernel_text.h"
#include "weft/runtime/program_data.h"

namespace llvm {
class LLVMContext;
class Module;
}  // namespace llvm

namespace weft::cpu {

class KernelCompiler {
 public:
  /// For this machine, or the part of it that `max_isa` (exec/isa.h) allows. Throws weft::Error for an instruction set that the
  /// machine lacks.
  static KernelCompiler for_this_machine(const std::string& max_isa);
  /// For every machine that has `isa`, whether this one has it or not.
  static KernelCompiler for_isa(const std::string& isa);
  KernelCompiler(KernelCompiler&&) noexcept;
  ~KernelCompiler();

  /// A module to emit kernels into, of this target.
  llvm::Module& module();
  /// Optimizes and compiles everything in module(), once.
  MachineCode finish(const std::vector<std::string>& kernels, std::vector<KernelText>* texts);

 private:
  struct Impl;
  explicit KernelCompiler(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// What for_this_machine("") compiles for: the processor's name and features.
std::string describe_machine();

}  // namespace weft::cpu
