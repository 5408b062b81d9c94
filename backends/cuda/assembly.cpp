#include "weft/backends/cuda/assembly.h"

#include <llvm/IR/Constants.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Module.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Target/TargetMachine.h>

#include <algorithm>
#include <mutex>
#include <vector>

#include <fmt/ranges.h>

#include "weft/backends/codegen/optimize.h"
#include "weft/backends/codegen/types.h"
#include "weft/backends/cuda/exec/arch.h"
#include "weft/backends/cuda/gpu_shape.h"
#include "weft/support/error.h"

namespace weft::cuda {
namespace {

constexpr const char* triple = "nvptx64-nvidia-cuda";
constexpr const char* architecture_flag = "weft.sm";  // of a module: the number of its architecture

const llvm::Target& nvptx() {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
  });
  std::string problem;
  const llvm::Target* target = llvm::TargetRegistry::lookupTarget(triple, problem);
  WEFT_CHECK(target, "LLVM has no NVPTX target: {}", problem);
  return *target;
}

/// Those that LLVM knows, from sm_70 on: before it, parameters are too small.
std::vector<std::string> known_archs() {
  const std::unique_ptr<llvm::MCSubtargetInfo> info(nvptx().createMCSubtargetInfo(triple, "", ""));
  std::vector<std::string> all;
  for (const llvm::SubtargetSubTypeKV& cpu : info->getAllProcessorDescriptions())
    if (arch_number(cpu.Key) >= 70) all.emplace_back(cpu.Key);
  return all;
}

std::unique_ptr<llvm::TargetMachine> machine(const std::string& arch, int buffers) {
  require_known_arch(arch);
  llvm::TargetOptions options;
  // Products and sums of different ops are never contracted, by LLVM or by ptxas: bits must equal the CPU's.
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  const char* features = buffers > few_buffers ? "+ptx81" : "";
  std::unique_ptr<llvm::TargetMachine> result(
      nvptx().createTargetMachine(triple, arch, features, options, llvm::Reloc::PIC_, std::nullopt, llvm::CodeGenOptLevel::Default));
  WEFT_CHECK(result, "LLVM cannot create a target machine for {}", arch);
  return result;
}

std::string assembly_of(llvm::Module& module, llvm::TargetMachine& machine) {
  llvm::SmallVector<char, 0> buffer;
  llvm::raw_svector_ostream out(buffer);
  llvm::legacy::PassManager passes;
  const bool refused = machine.addPassesToEmitFile(passes, out, nullptr, llvm::CodeGenFileType::AssemblyFile);
  WEFT_CHECK(!refused, "LLVM cannot write PTX");
  passes.run(module);
  return std::string(buffer.begin(), buffer.end());
}

}  // namespace

void require_known_arch(const std::string& arch) {
  const std::vector<std::string> known = known_archs();
  if (std::find(known.begin(), known.end(), arch) == known.end())
    throw Error("unknown GPU architecture '{}'; known are {}", arch, fmt::join(known, ", "));
}

std::string known_arch_for(const std::string& arch) {
  std::string best = "sm_70";
  for (const std::string& known : known_archs()) {
    const bool is_for_all_newer = known.find_first_not_of("0123456789", 3) == std::string::npos;  // "sm_90a" is not
    if (is_for_all_newer && arch_number(known) <= arch_number(arch) && arch_number(known) > arch_number(best)) best = known;
  }
  return best;
}

Assembly::Assembly(const std::string& arch, int buffers)
    : machine_(machine(arch, buffers)), context_(std::make_unique<llvm::LLVMContext>()),
      module_(std::make_unique<llvm::Module>("weft", *context_)) {
  module_->setDataLayout(machine_->createDataLayout());
  module_->setTargetTriple(triple);
  codegen::have_f16_instructions(*module_);
  module_->addModuleFlag(llvm::Module::Error, architecture_flag, static_cast<uint32_t>(arch_number(arch)));
}

Assembly::~Assembly() = default;

bool multiplies_bf16_matrices(const llvm::Module& module) {
  const auto* number = llvm::mdconst::extract_or_null<llvm::ConstantInt>(module.getModuleFlag(architecture_flag));
  return number && number->getZExtValue() >= 80;
}

std::string Assembly::finish() {
  codegen::optimize(*module_, *machine_);
  return assembly_of(*module_, *machine_);
}

}  // namespace weft::cuda
