#include "weft/backends/cuda/ptx.h"

#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Module.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Target/TargetMachine.h>

#include <algorithm>
#include <mutex>

#include "weft/backends/codegen/codegen.h"
#include "weft/backends/codegen/optimize.h"
#include "weft/backends/cuda/gpu_shape.h"
#include "weft/ir/op_def.h"
#include "weft/passes/lowered.h"
#include "weft/support/number_text.h"

namespace weft::cuda {
namespace {

constexpr const char* triple = "nvptx64-nvidia-cuda";

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

/// The number in "sm_90" or "sm_90a"; 0 for another name.
int number_of(std::string_view arch) { return arch.starts_with("sm_") ? leading_number<int>(arch.substr(3)).value : 0; }

/// Those that LLVM knows, from sm_70 on: before it, parameters are too small.
std::vector<std::string> known_archs() {
  const std::unique_ptr<llvm::MCSubtargetInfo> info(nvptx().createMCSubtargetInfo(triple, "", ""));
  std::vector<std::string> all;
  for (const llvm::SubtargetSubTypeKV& cpu : info->getAllProcessorDescriptions())
    if (number_of(cpu.Key) >= 70) all.emplace_back(cpu.Key);
  return all;
}

std::unique_ptr<llvm::TargetMachine> machine(const std::string& arch, int buffers) {
  const std::vector<std::string> known = known_archs();
  if (std::find(known.begin(), known.end(), arch) == known.end())
    throw Error("unknown GPU architecture '{}'; known are {}", arch, fmt::join(known, ", "));
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

/// The ops that are kernels.
std::vector<const ir::Op*> kernel_ops(const ir::Graph& graph) {
  std::vector<const ir::Op*> all;
  for (const auto& op : graph.ops()) {
    switch (op->def().kind) {
      case ir::Kind::view:
      case ir::Kind::constant:
      case ir::Kind::heavy: break;
      case ir::Kind::nest:
      case ir::Kind::launch: passes::verify_kernel(*op), all.push_back(op); break;
      case ir::Kind::elementwise:
      case ir::Kind::reduction:
      case ir::Kind::movement:
      case ir::Kind::index:
      case ir::Kind::composite:
        throw Error("{} is not part of a kernel: the module has not been through the pass 'fuse'", op->name())
            .at(to_string(op->locations()));
    }
  }
  return all;
}

int buffers_of(const ir::Op& op) {
  const int buffers = static_cast<int>(codegen::buffers_of(op).size());
  if (buffers > most_buffers)
    throw Error(ErrorKind::device, "a kernel of {} operands, results and slices: a GPU takes at most {}", buffers, most_buffers)
        .at(to_string(op.locations()));
  return buffers;
}

}  // namespace

Ptx emit_ptx(const ir::Module& module, const std::string& arch) {
  const std::vector<const ir::Op*> ops = kernel_ops(module.graph());
  int buffers = 0;
  for (const ir::Op* op : ops) buffers = std::max(buffers, buffers_of(*op));
  const std::unique_ptr<llvm::TargetMachine> target = machine(arch, buffers);

  llvm::LLVMContext context;
  llvm::Module code("weft", context);
  code.setDataLayout(target->createDataLayout());
  code.setTargetTriple(triple);
  const GpuShape shape;
  codegen::Kernels kernels(code, shape);
  for (const ir::Op* op : ops) kernels.of(*op);
  codegen::optimize(code, *target);

  Ptx ptx{assembly_of(code, *target), {}};
  for (const codegen::Kernel& k : kernels.all()) ptx.kernels.push_back({k.name, launches_of(k), to_string(k.op->locations())});
  return ptx;
}

}  // namespace weft::cuda
