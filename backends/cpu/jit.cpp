#include "weft/backends/cpu/jit.h"

#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Module.h>
#include <llvm/Support/SmallVectorMemoryBuffer.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/TargetParser/Host.h>
#include <llvm/Transforms/Utils/Cloning.h>

#include <mutex>
#include <set>

#include "weft/backends/codegen/optimize.h"
#include "weft/support/error.h"

namespace weft::cpu {
namespace {

template <class T>
T must(llvm::Expected<T> value, const char* what) {
  if (!value) throw InternalError(fmt::format("LLVM cannot {}: {}", what, llvm::toString(value.takeError())));
  return std::move(*value);
}

void must(llvm::Error error, const char* what) {
  if (error) throw InternalError(fmt::format("LLVM cannot {}: {}", what, llvm::toString(std::move(error))));
}

/// The machine, or the part of it that `max_isa` allows. `width` becomes the widest vector in bits.
llvm::orc::JITTargetMachineBuilder machine(const std::string& max_isa, int& width) {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    llvm::InitializeNativeTargetAsmParser();
  });
  auto builder = must(llvm::orc::JITTargetMachineBuilder::detectHost(), "detect this machine");
  const llvm::StringMap<bool> has = llvm::sys::getHostCPUFeatures();
  const auto require = [&](const char* feature) {
    if (!has.lookup(feature)) throw Error(ErrorKind::device, "max_isa is \"{}\", but this machine has no {}", max_isa, feature);
  };
  const auto limit = [&](const char* cpu) {
    builder.setCPU(cpu);
    builder.getFeatures() = llvm::SubtargetFeatures();
  };
  if (max_isa == "sse4") require("sse4.2"), limit("x86-64-v2"), width = 128;
  else if (max_isa == "avx2") require("avx2"), limit("x86-64-v3"), width = 256;
  else if (max_isa == "avx512") require("avx512f"), limit("x86-64-v4"), width = 512;
  else width = has.lookup("avx512f") ? 512 : has.lookup("avx2") ? 256 : 128;
  builder.setCodeGenOptLevel(llvm::CodeGenOptLevel::Default);
  // Products and sums of different ops are never contracted: fused and unfused must agree bit for bit.
  builder.getOptions().AllowFPOpFusion = llvm::FPOpFusion::Strict;
  return builder;
}

/// The kernel and the functions of its nests, which others may call as well.
std::set<const llvm::GlobalValue*> parts_of(const llvm::Module& module, const std::string& kernel) {
  std::set<const llvm::GlobalValue*> parts;
  const auto add = [&](const auto& self, const llvm::Function& function) -> void {
    if (function.isDeclaration() || function.getName().starts_with("weft.") || !parts.insert(&function).second) return;
    for (const llvm::BasicBlock& block : function)
      for (const llvm::Instruction& i : block)
        if (const auto* call = llvm::dyn_cast<llvm::CallInst>(&i); call && call->getCalledFunction())
          self(self, *call->getCalledFunction());
  };
  add(add, *module.getFunction(kernel));
  return parts;
}

std::string print_function(llvm::Module& module, const std::string& kernel) {
  std::string text;
  llvm::raw_string_ostream out(text);
  const auto parts = parts_of(module, kernel);
  for (const llvm::Function& f : module)
    if (parts.contains(&f)) f.print(out);
  return out.str();
}

std::string assembly_of(llvm::Module& module, llvm::TargetMachine& machine, const std::string& kernel) {
  // Every other function becomes a declaration.
  const auto parts = parts_of(module, kernel);
  llvm::ValueToValueMapTy twins;
  const std::unique_ptr<llvm::Module> alone =
      llvm::CloneModule(module, twins, [&](const llvm::GlobalValue* v) { return !llvm::isa<llvm::Function>(v) || parts.contains(v); });
  llvm::SmallVector<char, 0> buffer;
  llvm::raw_svector_ostream out(buffer);
  llvm::legacy::PassManager passes;
  machine.addPassesToEmitFile(passes, out, nullptr, llvm::CodeGenFileType::AssemblyFile);
  passes.run(*alone);
  return std::string(buffer.begin(), buffer.end());
}

}  // namespace

struct Jit::Impl {
  llvm::orc::ThreadSafeContext context{std::make_unique<llvm::LLVMContext>()};
  std::unique_ptr<llvm::TargetMachine> machine;
  std::unique_ptr<llvm::orc::LLJIT> jit;
  std::unique_ptr<llvm::Module> module;
  int width = 0;
};

Jit::Jit(const std::string& max_isa) : impl_(std::make_unique<Impl>()) {
  auto builder = machine(max_isa, impl_->width);
  impl_->machine = must(builder.createTargetMachine(), "create a target machine");
  impl_->jit = must(llvm::orc::LLJITBuilder().setJITTargetMachineBuilder(builder).create(), "create a JIT");
  impl_->module = std::make_unique<llvm::Module>("weft", *impl_->context.getContext());
  impl_->module->setDataLayout(impl_->machine->createDataLayout());
  impl_->module->setTargetTriple(impl_->machine->getTargetTriple().str());
}

Jit::~Jit() = default;

llvm::Module& Jit::module() { return *impl_->module; }

void Jit::finish(const std::vector<std::string>& kernels, std::vector<KernelText>* texts) {
  // Recent servers' defaults keep to 256 bits.
  const std::string width = std::to_string(impl_->width);
  for (llvm::Function& f : *impl_->module) {
    if (f.isDeclaration()) continue;
    f.addFnAttr("prefer-vector-width", width);
    f.addFnAttr("min-legal-vector-width", width);
    f.addFnAttr(llvm::Attribute::NoUnwind);
  }
  codegen::optimize(*impl_->module, *impl_->machine);
  if (texts)
    for (const std::string& k : kernels)
      texts->push_back({k,
                        {{CodeKind::llvm_ir, print_function(*impl_->module, k)},
                         {CodeKind::assembly, assembly_of(*impl_->module, *impl_->machine, k)}}});
  must(impl_->jit->addIRModule({std::move(impl_->module), impl_->context}), "take the module");
  for (const std::string& k : kernels) must(impl_->jit->lookup(k), "compile a kernel");
}

void* Jit::address(const std::string& kernel) const { return must(impl_->jit->lookup(kernel), "find a kernel").toPtr<void*>(); }

}  // namespace weft::cpu
