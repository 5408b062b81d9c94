#include "weft/backends/program/backend.h"

#include <cstdlib>

#include "weft/backends/cpu/cpu.h"
#include "weft/backends/cpu/exec/isa.h"
#include "weft/support/error.h"
#include "weft/support/number_text.h"

namespace weft::cpu {
namespace {

int threads_of_environment() {
  const char* text = std::getenv("WEFT_THREADS");
  if (!text || !*text) return 0;
  const std::optional<int> threads = number_in<int>(text);
  if (!threads || *threads < 1)
    throw Error("WEFT_THREADS must be a positive number of threads, not '{}'", text).hint("unset it for one per core");
  return *threads;
}

class CpuBackend final : public Backend {
 public:
  explicit CpuBackend(Options options) : options_(std::move(options)) {}

  std::string_view name() const override { return "cpu"; }
  const passes::Target& target() const override { return cpu::target(); }
  std::string_view pipeline() const override { return "compile"; }

  std::unique_ptr<Program> build(const ir::Module& module, std::vector<KernelText>* kernels) const override {
    Options options = options_;
    if (options.threads == 0) options.threads = threads_of_environment();
    return compile(module, options, kernels);
  }

  std::shared_ptr<const Backend> with_threads(int threads) const override {
    return backend({.threads = threads, .max_isa = options_.max_isa});
  }

 private:
  Options options_;
};

}  // namespace

std::shared_ptr<const Backend> backend(Options options) {
  if (options.threads < 0) throw Error("Target::cpu: .threads must not be negative (0: one per core), not {}", options.threads);
  // Now, since the passes ask what the library can do.
  limit_library_isa(options.max_isa);
  return std::make_shared<CpuBackend>(std::move(options));
}

}  // namespace weft::cpu
