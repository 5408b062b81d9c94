#include "weft/frontend/compile.h"

#include <atomic>
#include <chrono>

#include "weft/frontend/defaults.h"
#include "weft/frontend/dump.h"
#include "weft/frontend/step_core.h"
#include "weft/frontend/validation.h"

namespace weft {
namespace {

std::atomic<int64_t> compiled = 0;

}  // namespace

int64_t compiled_programs() { return compiled; }

Step compile(Recorded recorded, const Target& target, CompileOptions options) {
  const auto start = std::chrono::steady_clock::now();
  ir::Module module = recorded.module.clone();
  detail::Dump dump(options.dump_ir, module.graph().name());
  dump.stage("recorded", module);
  std::optional<detail::Validation> validation;
  if (detail::validates(options.validate)) validation.emplace(module);
  const auto runs = passes::run(module, target.pipeline(), target.asked_by_passes(),
                                {.after = [&](const ir::Module& m, const passes::PassRun& run) {
                                  dump.stage(run.name, m);
                                  if (validation) validation->check(m, run.name);
                                }});
  std::vector<cpu::KernelText> kernels;
  std::unique_ptr<Program> program = target.build(module, dump.on() ? &kernels : nullptr);
  dump.kernels(kernels);

  auto core = std::make_shared<detail::StepCore>(std::move(recorded), std::move(module), std::move(program), target,
                                                 options.seed.value_or(current_seed()));
  core->passes = runs;
  core->kernels = std::move(kernels);
  core->compile_milliseconds =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  ++compiled;
  return Step(std::move(core));
}

}  // namespace weft
