#include "weft/backends/codegen/optimize.h"

#include <llvm/Analysis/CGSCCPassManager.h>
#include <llvm/Analysis/TargetTransformInfo.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Target/TargetMachine.h>

#include "weft/backends/codegen/masked_loads.h"
#include "weft/support/error.h"

namespace weft::codegen {

void verify(const llvm::Module& module) {
  std::string problem;
  llvm::raw_string_ostream out(problem);
  if (llvm::verifyModule(module, &out)) throw InternalError("generated code does not verify: " + out.str());
}

void optimize(llvm::Module& module, llvm::TargetMachine& machine) {
  verify(module);
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = false;  // the kernels are vectors already, or are for machines without
  tuning.SLPVectorization = false;
  llvm::PassBuilder builder(&machine, tuning);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2).run(module, modules);
  for (llvm::Function& function : module)
    if (!function.isDeclaration()) cut_masked_loads(function, functions.getResult<llvm::TargetIRAnalysis>(function));
}

}  // namespace weft::codegen
