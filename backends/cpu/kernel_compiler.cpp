#include "weft/backends/cpu/kernel_compiler.h"

#include <llvm/Bitcode/BitcodeReader.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Module.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/TargetParser/Host.h>
#include <llvm/Transforms/Utils/Cloning.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <set>

#include "weft/backends/codegen/optimize.h"
#include "weft/backends/codegen/split.h"
#include "weft/backends/codegen/types.h"
#include "weft/backends/cpu/exec/isa.h"
#include "weft/backends/cpu/object_image.h"
#include "weft/runtime/parallel.h"
#include "weft/support/error.h"

namespace weft::cpu {
namespace {

// What LLVM compiles in about a sixth of a second; what it does once for each part is nothing beside that.
constexpr size_t part_instructions = 1500, most_parts = 64;

const llvm::Target& native_target() {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    llvm::InitializeNativeTargetAsmParser();
  });
  std::string problem;
  const llvm::Target* target = llvm::TargetRegistry::lookupTarget(llvm::sys::getProcessTriple(), problem);
  WEFT_CHECK(target, "LLVM has no target for this machine: {}", problem);
  return *target;
}

/// What LLVM calls the level of the psABI.
std::string_view cpu_of(std::string_view isa) { return isa == "sse4" ? "x86-64-v2" : isa == "avx2" ? "x86-64-v3" : "x86-64-v4"; }

std::unique_ptr<llvm::TargetMachine> machine(std::string_view cpu, const std::string& features) {
  llvm::TargetOptions options;
  // Products and sums of different ops are never contracted: fused and unfused must agree bit for bit.
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  std::unique_ptr<llvm::TargetMachine> made(native_target().createTargetMachine(
      llvm::sys::getProcessTriple(), cpu, features, options, llvm::Reloc::PIC_, llvm::CodeModel::Small, llvm::CodeGenOptLevel::Default));
  WEFT_CHECK(made, "LLVM cannot compile for {}", cpu);
  return made;
}

std::string features_of_host() {
  const llvm::StringMap<bool> has = llvm::sys::getHostCPUFeatures();
  std::vector<std::string> names;  // the map has no order
  for (const auto& feature : has) names.push_back((feature.second ? "+" : "-") + feature.first().str());
  std::sort(names.begin(), names.end());
  return fmt::format("{}", fmt::join(names, ","));
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

ObjectFile emit(llvm::Module& module, llvm::TargetMachine& machine, llvm::CodeGenFileType type) {
  ObjectFile buffer;
  llvm::raw_svector_ostream out(buffer);
  llvm::legacy::PassManager passes;
  const bool refused = machine.addPassesToEmitFile(passes, out, nullptr, type);
  WEFT_CHECK(!refused, "LLVM cannot write code");
  passes.run(module);
  return buffer;
}

std::string assembly_of(llvm::Module& module, llvm::TargetMachine& machine, const std::string& kernel) {
  // Every other function becomes a declaration.
  const auto parts = parts_of(module, kernel);
  llvm::ValueToValueMapTy twins;
  const std::unique_ptr<llvm::Module> alone =
      llvm::CloneModule(module, twins, [&](const llvm::GlobalValue* v) { return !llvm::isa<llvm::Function>(v) || parts.contains(v); });
  const auto text = emit(*alone, machine, llvm::CodeGenFileType::AssemblyFile);
  return std::string(text.begin(), text.end());
}

/// work(0) .. work(count - 1), on all cores. Throws what the first of them threw, when all have ended.
template <class Work>
void at_once(size_t count, Work work) {
  std::atomic<size_t> next = 0;
  std::vector<std::exception_ptr> errors(count);
  const auto run = [&] {
    for (size_t i; (i = next++) < count;) try {
        work(i);
      } catch (...) {
        errors[i] = std::current_exception();
      }
  };
  Workers workers;
  for (size_t i = 1; i < std::min(count, static_cast<size_t>(available_cores())) && workers.start(run); ++i) {}
  run();
  workers.join();
  for (const std::exception_ptr& error : errors)
    if (error) std::rethrow_exception(error);
}

}  // namespace

struct KernelCompiler::Impl {
  Impl(std::string name, int bits, std::string llvm_cpu, std::string llvm_features)
      : isa(std::move(name)), width(bits), cpu(std::move(llvm_cpu)), features(std::move(llvm_features)) {
    const auto target = machine(cpu, features);
    module.setDataLayout(target->createDataLayout());
    module.setTargetTriple(target->getTargetTriple().str());
    module.setPICLevel(llvm::PICLevel::BigPIC);
    if (target->getMCSubtargetInfo()->checkFeatures("+f16c")) codegen::have_f16_instructions(module);
  }

  std::string isa;
  int width;  // of the widest vector, in bits
  std::string cpu, features;
  llvm::LLVMContext context;
  llvm::Module module{"weft", context};
};

KernelCompiler KernelCompiler::for_isa(const std::string& isa) {
  require_known_isa(isa);
  return KernelCompiler(std::make_unique<Impl>(isa, isa_width(isa), std::string(cpu_of(isa)), ""));
}

KernelCompiler KernelCompiler::for_this_machine(const std::string& max_isa) {
  if (!max_isa.empty()) {
    KernelCompiler limited = for_isa(max_isa);
    if (!has_isa(max_isa)) throw Error(ErrorKind::device, "max_isa is \"{}\", but this machine has no {}", max_isa, max_isa);
    return limited;
  }
  const llvm::StringMap<bool> has = llvm::sys::getHostCPUFeatures();
  const int width = has.lookup("avx512f") ? 512 : has.lookup("avx2") ? 256 : 128;
  return KernelCompiler(std::make_unique<Impl>("", width, llvm::sys::getHostCPUName().str(), features_of_host()));
}

std::string describe_machine() { return llvm::sys::getHostCPUName().str() + " " + features_of_host(); }

KernelCompiler::KernelCompiler(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
KernelCompiler::KernelCompiler(KernelCompiler&&) noexcept = default;
KernelCompiler::~KernelCompiler() = default;

llvm::Module& KernelCompiler::module() { return impl_->module; }

MachineCode KernelCompiler::finish(const std::vector<std::string>& kernels, std::vector<KernelText>* texts) {
  // Recent servers' defaults keep to 256 bits.
  const std::string width = std::to_string(impl_->width);
  llvm::Module& module = impl_->module;
  for (llvm::Function& f : module) {
    if (f.isDeclaration()) continue;
    f.addFnAttr("prefer-vector-width", width);
    f.addFnAttr("min-legal-vector-width", width);
    f.addFnAttr(llvm::Attribute::NoUnwind);
  }
  // Texts are of a kernel and all that it calls, which then lie together.
  const std::vector<codegen::Bitcode> parts = codegen::split(module, part_instructions, texts ? 1 : most_parts);
  std::vector<ObjectFile> objects(parts.size());
  at_once(parts.size(), [&](size_t i) {
    llvm::LLVMContext context;
    auto part = llvm::parseBitcodeFile(llvm::MemoryBufferRef({parts[i].data(), parts[i].size()}, "weft"), context);
    if (!part) throw InternalError("a part of the kernels cannot be read: " + llvm::toString(part.takeError()));
    const auto target = machine(impl_->cpu, impl_->features);
    codegen::optimize(**part, *target);
    if (texts)
      for (const std::string& k : kernels)
        texts->push_back({k, {{CodeKind::llvm_ir, print_function(**part, k)}, {CodeKind::assembly, assembly_of(**part, *target, k)}}});
    objects[i] = emit(**part, *target, llvm::CodeGenFileType::ObjectFile);
  });
  MachineCode code = image_of(objects);
  code.isa = impl_->isa;
  return code;
}

}  // namespace weft::cpu
