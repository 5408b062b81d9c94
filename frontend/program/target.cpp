#include "weft/frontend/program/target.h"

#include <cstdlib>

#include "weft/backends/cpu/exec/isa.h"
#include "weft/backends/reference/reference.h"
#include "weft/passes/pass.h"
#include "weft/support/error.h"
#include "weft/support/number_text.h"

namespace weft {
namespace {

int threads_from_environment() {
  const char* text = std::getenv("WEFT_THREADS");
  if (!text || !*text) return 0;
  const std::optional<int> threads = number_in<int>(text);
  if (!threads || *threads < 1) throw Error("WEFT_THREADS must be a positive number of threads, not '{}'; unset it for one per core", text);
  return *threads;
}

}  // namespace

Target Target::cpu(cpu::Options options) {
  if (options.threads < 0) throw Error("Target::cpu: .threads must not be negative (0: one per core), not {}", options.threads);
  // Now, since the passes ask what the library can do.
  cpu::limit_library_isa(options.max_isa);
  return {"cpu", std::move(options)};
}

Target Target::with_threads(int threads) const { return name_ == "cpu" ? cpu({.threads = threads, .max_isa = options_.max_isa}) : *this; }

Target Target::reference() { return {"reference", {}}; }

Target Target::from_name(std::string_view name) {
  if (name == "cpu") return cpu();
  if (name == "reference") return reference();
  throw Error("there is no target '{}'{}; the targets are 'cpu' and 'reference'", name, did_you_mean(name, {"cpu", "reference"}));
}

const passes::Target& Target::asked_by_passes() const { return name_ == "cpu" ? cpu::target() : passes::generic_target(); }

std::vector<std::string> Target::pipeline() const {
  // The reference interprets what was recorded, so that no pass after the step itself can hide a mistake from it.
  return passes::pipeline(name_ == "cpu" ? "compile" : "step");
}

std::unique_ptr<Program> Target::build(const ir::Module& module, std::vector<cpu::KernelText>* kernels) const {
  if (name_ == "reference") return reference::compile(module);
  cpu::Options options = options_;
  if (options.threads == 0) options.threads = threads_from_environment();
  return cpu::compile(module, options, kernels);
}

}  // namespace weft
