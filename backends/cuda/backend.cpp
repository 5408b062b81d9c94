#include "weft/backends/program/backend.h"

#include "weft/backends/cuda/assembly.h"
#include "weft/backends/cuda/cuda.h"
#include "weft/backends/cuda/exec/program.h"
#include "weft/backends/cuda/tuning.h"
#include "weft/backends/program/launches.h"
#include "weft/passes/autocast.h"
#include "weft/passes/rematerialize.h"
#include "weft/support/error.h"

namespace weft::cuda {
namespace {

class CudaBackend final : public Backend {
 public:
  explicit CudaBackend(Options options) : options_(std::move(options)) {}

  std::string_view name() const override { return "cuda"; }
  const passes::Target& target() const override { return cuda::target(options_.autocast, options_.tf32, options_.memory_limit); }
  std::string_view pipeline() const override { return "compile"; }

  void tune(ir::Module& module) const override {
    if (options_.tune && options_.libraries) choose_algorithms(module, Context::of(options_.device, options_.driver), options_.tf32);
  }

  std::unique_ptr<Program> build(const ir::Module& module, std::vector<KernelText>* kernels) const override {
    ProgramData data = cuda::lower(module, arch(), kernels, options_.tf32);
    try {
      return load(std::move(data));
    } catch (OutOfMemory& e) {
      e.hint(program::no_arena(module, cuda::target()).what());
      throw;
    }
  }

  std::string fingerprint() const override {
    return fmt::format("{} autocast={} tf32={} tune={} memory_limit={}", arch(),
                       options_.autocast ? weft::name_of(*options_.autocast) : "no", options_.tf32, options_.tune,
                       options_.memory_limit.value_or(0));
  }
  ProgramData lower(const ir::Module& module) const override { return lower_for(module, arch()); }
  std::unique_ptr<Program> load(ProgramData data) const override {
    return load_program(std::move(data), {options_.device, options_.driver, options_.check, options_.libraries});
  }
  ProgramData portable(const ir::Module& module, std::span<const std::string> machines) const override {
    if (machines.size() > 1)
      throw Error("a program for 'cuda' has code for one GPU architecture and all newer ones, not for {}", fmt::join(machines, ", "));
    if (!machines.empty()) return lower_for(module, machines.front());
    return lower_for(module, options_.arch.empty() ? std::string(default_arch) : options_.arch);
  }

 private:
  ProgramData lower_for(const ir::Module& module, const std::string& arch) const {
    return cuda::lower(module, arch, nullptr, options_.tf32);
  }
  /// The device's own, unless another one is asked for.
  std::string arch() const {
    if (!options_.arch.empty()) return options_.arch;
    return known_arch_for(describe_device(options_.device, options_.driver).arch());
  }

  Options options_;
};

}  // namespace

std::shared_ptr<const Backend> backend(Options options) {
  if (options.device < 0) throw Error("Target::cuda: .device must not be negative, not {}", options.device);
  passes::require_autocast_type(options.autocast, "cuda");
  passes::require_memory_limit(options.memory_limit, "cuda");
  if (!options.arch.empty()) require_known_arch(options.arch);
  return std::make_shared<CudaBackend>(std::move(options));
}

}  // namespace weft::cuda
