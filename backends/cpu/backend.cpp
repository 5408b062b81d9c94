#include "weft/backends/program/backend.h"

#include "weft/backends/cpu/cpu.h"
#include "weft/backends/cpu/exec/cpu_program.h"
#include "weft/backends/cpu/exec/isa.h"
#include "weft/backends/cpu/kernel_compiler.h"
#include "weft/passes/autocast.h"
#include "weft/passes/rematerialize.h"
#include "weft/runtime/parallel.h"
#include "weft/support/error.h"

namespace weft::cpu {
namespace {

class CpuBackend final : public Backend {
 public:
  explicit CpuBackend(Options options) : options_(std::move(options)) {}

  std::string_view name() const override { return "cpu"; }
  const passes::Target& target() const override { return cpu::target(options_); }
  std::string_view pipeline() const override { return "compile"; }

  std::unique_ptr<Program> build(const ir::Module& module, std::vector<KernelText>* kernels) const override {
    return compile(module, options_, kernels);
  }

  std::string fingerprint() const override {
    return fmt::format("{} max_isa={} environment={} cores={} autocast={} strict={} memory_limit={} flush_denormals={}", describe_machine(),
                       options_.max_isa, max_isa_of_environment(), available_cores(),
                       options_.autocast ? weft::name_of(*options_.autocast) : "no", options_.strict, options_.memory_limit.value_or(0),
                       options_.flush_denormals);
  }
  std::string machine() const override {
    std::string_view isa = library_isa();
    if (!options_.max_isa.empty() && isa_width(options_.max_isa) < isa_width(isa)) isa = options_.max_isa;
    return fmt::format("{}, {} cores, {}", processor_name(), available_cores(), isa);
  }
  ProgramData lower(const ir::Module& module) const override { return cpu::lower(module, options_); }
  std::unique_ptr<Program> load(ProgramData data) const override {
    return load_program(std::move(data), {options_.threads, options_.max_isa, options_.share_all});
  }
  ProgramData portable(const ir::Module& module, std::span<const std::string> machines) const override {
    const std::string& max = options_.max_isa;
    std::vector<std::string> isas(machines.begin(), machines.end());
    if (isas.empty())
      for (const std::string_view isa : all_isas())
        if (max.empty() || isa_width(isa) <= isa_width(max)) isas.emplace_back(isa);
    return compile_portably(module, isas, options_);
  }

  std::shared_ptr<const Backend> with_threads(int threads) const override {
    Options other = options_;
    other.threads = threads;
    return backend(std::move(other));
  }

 private:
  Options options_;
};

}  // namespace

std::shared_ptr<const Backend> backend(Options options) {
  if (options.threads < 0) throw Error("Target::cpu: .threads must not be negative (0: one per core), not {}", options.threads);
  passes::require_memory_limit(options.memory_limit, "cpu");
  passes::require_autocast_type(options.autocast, "cpu");
  // Now, since the passes ask what the library can do.
  limit_library_isa(options.max_isa);
  return std::make_shared<CpuBackend>(std::move(options));
}

}  // namespace weft::cpu
