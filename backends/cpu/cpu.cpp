#include "weft/backends/cpu/cpu.h"

#include "weft/backends/codegen/codegen.h"
#include "weft/backends/codegen/host_shape.h"
#include "weft/backends/cpu/exec/cpu_program.h"
#include "weft/backends/cpu/exec/isa.h"
#include "weft/backends/cpu/heavy.h"
#include "weft/backends/cpu/jit.h"
#include "weft/backends/program/launches.h"
#include "weft/runtime/parallel.h"

namespace weft::cpu {
namespace {

using ir::Op;

/// Calls become primitives of the library, kernels code.
class CpuLowering final : public program::Lowering {
 public:
  explicit CpuLowering(const Options& options) : jit_(std::make_shared<Jit>(options.max_isa)), kernels_(jit_->module(), shape_) {}

  Made call(const Op& op) override {
    const HeavyOp* row = find_heavy(op);
    WEFT_CHECK(row, "the target claims {}, for which there is no row", op.name());
    tasks_.push_back(row->make(op));
    return {tasks_.back()->implementation, tasks_.back()->buffers.size()};
  }

  Made kernel(const Op& op) override {
    const codegen::Kernel& kernel = kernels_.of(op);
    std::vector<KernelTask::Pointer> pointers;
    for (const codegen::KernelBuffer& b : codegen::buffers_of(op)) pointers.push_back({static_cast<size_t>(b.number), b.offset});
    const size_t buffers = op.operands().size() + op.results().size();
    pending_.push_back({tasks_.size(), kernel.name, kernel.units, buffers, std::move(pointers)});
    tasks_.push_back(nullptr);
    return {kernel.name, buffers};
  }

  /// Compiles the kernels. A task for each launch, and what keeps their code alive.
  void finish(ProgramParts& parts, std::vector<KernelText>* texts) {
    std::vector<std::string> names;
    for (const codegen::Kernel& kernel : kernels_.all()) names.push_back(kernel.name);
    jit_->finish(names, texts);
    for (Pending& p : pending_) {
      const auto function = reinterpret_cast<KernelTask::Function>(jit_->address(p.name));
      tasks_[p.task] = std::make_unique<KernelTask>(function, p.units, std::move(p.pointers));
      tasks_[p.task]->buffers.resize(p.buffers, nullptr);
    }
    parts.tasks = std::move(tasks_);
    parts.code = jit_;
  }

 private:
  /// A kernel whose address is known only once everything is compiled.
  struct Pending {
    size_t task;
    std::string name;
    int64_t units;
    size_t buffers;
    std::vector<KernelTask::Pointer> pointers;
  };

  std::shared_ptr<Jit> jit_;
  codegen::HostShape shape_;
  codegen::Kernels kernels_;
  std::vector<std::unique_ptr<Task>> tasks_;
  std::vector<Pending> pending_;
};

}  // namespace

std::unique_ptr<Program> compile(const ir::Module& module, const Options& options, std::vector<KernelText>* kernels) {
  program::require_planned(module, target());
  Options limited = options;
  if (limited.max_isa.empty()) limited.max_isa = max_isa_of_environment();
  limit_library_isa(limited.max_isa);
  CpuLowering lowering(limited);
  ProgramParts parts{.list = program::launches_of(module, target(), lowering)};
  parts.threads = options.threads > 0 ? options.threads : available_cores();
  lowering.finish(parts, kernels);
  try {
    return make_program(std::move(parts));
  } catch (const OutOfMemory&) {
    throw program::no_arena(module, target());
  }
}

}  // namespace weft::cpu
