#include "weft/backends/cpu/cpu.h"

#include "weft/backends/codegen/codegen.h"
#include "weft/backends/codegen/host_shape.h"
#include "weft/backends/cpu/exec/calls.h"
#include "weft/backends/cpu/exec/compute_threads.h"
#include "weft/backends/cpu/exec/cpu_program.h"
#include "weft/backends/cpu/exec/isa.h"
#include "weft/backends/cpu/heavy.h"
#include "weft/backends/cpu/kernel_compiler.h"
#include "weft/backends/program/launches.h"

namespace weft::cpu {
namespace {

using ir::Op;

/// The kernels of a program for one kind of machine.
class MachineKernels {
 public:
  explicit MachineKernels(KernelCompiler compiler) : compiler_(std::move(compiler)), kernels_(compiler_.module(), shape_) {}

  const codegen::Kernel& of(const Op& op) { return kernels_.of(op); }
  MachineCode finish(std::vector<KernelText>* texts) {
    std::vector<std::string> names;
    for (const codegen::Kernel& kernel : kernels_.all()) names.push_back(kernel.name);
    return compiler_.finish(names, texts);
  }

 private:
  KernelCompiler compiler_;
  codegen::HostShape shape_;
  codegen::Kernels kernels_;
};

/// Calls become primitives of the library, kernels code.
class CpuLowering final : public program::Lowering {
 public:
  /// At least one compiler, all of which are to give the same kernels.
  explicit CpuLowering(std::vector<KernelCompiler> compilers) {
    for (KernelCompiler& compiler : compilers) machines_.push_back(std::make_unique<MachineKernels>(std::move(compiler)));
  }

  Made call(const Op& op) override {
    const HeavyOp* row = find_heavy(op);
    WEFT_CHECK(row, "the target claims {}, for which there is no row", op.name());
    calls_.push_back(row->describe(op));
    tasks_.push_back(make_task(calls_.back(), nullptr));
    return {tasks_.back()->implementation, tasks_.back()->buffers.size()};
  }

  Made kernel(const Op& op) override {
    const codegen::Kernel* kernel = nullptr;
    for (const auto& machine : machines_) {
      const codegen::Kernel& made = machine->of(op);
      WEFT_CHECK(!kernel || (kernel->name == made.name && kernel->entries == made.entries), "a kernel is not the same for all machines");
      kernel = &made;
    }
    std::vector<KernelTask::Pointer> pointers;
    for (const codegen::KernelBuffer& b : codegen::buffers_of(op)) pointers.push_back({static_cast<size_t>(b.number), b.offset});
    const size_t buffers = op.operands().size() + op.results().size();
    calls_.push_back(describe_kernel(kernel->name, kernel->entries.front().units, buffers, pointers));
    tasks_.push_back(nullptr);
    return {kernel->name, buffers};
  }

  /// Compiles the kernels.
  ProgramData finish(LaunchList list, std::vector<KernelText>* texts) {
    ProgramData data{"cpu", std::move(list), std::move(calls_), {}};
    for (const auto& machine : machines_) data.code.push_back(machine->finish(texts));
    return data;
  }

  /// Those of the library's calls, in the places of their launches.
  std::vector<std::unique_ptr<Task>> take_tasks() { return std::move(tasks_); }

 private:
  std::vector<std::unique_ptr<MachineKernels>> machines_;
  std::vector<CallDescriptor> calls_;
  std::vector<std::unique_ptr<Task>> tasks_;
};

ProgramData lower(const ir::Module& module, const Options& options, std::vector<KernelText>* kernels,
                  std::vector<std::unique_ptr<Task>>* tasks) {
  program::require_planned(module, target());
  const std::string max_isa = options.max_isa.empty() ? max_isa_of_environment() : options.max_isa;
  limit_library_isa(max_isa);
  std::vector<KernelCompiler> compilers;
  compilers.push_back(KernelCompiler::for_this_machine(max_isa));
  CpuLowering lowering(std::move(compilers));
  ProgramData data = lowering.finish(program::launches_of(module, target(), lowering), kernels);
  data.list.denormals = options.denormals();
  *tasks = lowering.take_tasks();
  return data;
}

}  // namespace

std::unique_ptr<Program> compile(const ir::Module& module, const Options& options, std::vector<KernelText>* kernels) {
  ProgramParts parts;
  ProgramData data = lower(module, options, kernels, &parts.tasks);
  const auto code = std::make_shared<const Code>(data.code.front());
  for (size_t i = 0; i < parts.tasks.size(); ++i)
    if (!parts.tasks[i]) parts.tasks[i] = make_task(data.calls[i], code.get());
  parts.list = std::move(data.list);
  parts.threads = compute_threads(options.threads);
  parts.share_all = options.share_all;
  parts.code = code;
  try {
    return make_program(std::move(parts));
  } catch (const OutOfMemory&) {
    throw program::no_arena(module, target());
  }
}

ProgramData lower(const ir::Module& module, const Options& options) {
  std::vector<std::unique_ptr<Task>> tasks;
  return lower(module, options, nullptr, &tasks);
}

ProgramData compile_portably(const ir::Module& module, std::span<const std::string> isas, const Options& options) {
  program::require_planned(module, target());
  std::vector<KernelCompiler> compilers;
  for (const std::string& isa : isas) compilers.push_back(KernelCompiler::for_isa(isa));
  CpuLowering lowering(std::move(compilers));
  ProgramData data = lowering.finish(program::launches_of(module, target(), lowering), nullptr);
  data.list.denormals = options.denormals();
  return data;
}

}  // namespace weft::cpu
