#include "weft/frontend/program/build.h"

#include <atomic>
#include <chrono>

#include "weft/frontend/program/dump.h"
#include "weft/frontend/program/validation.h"
#include "weft/runtime/float_mode.h"

namespace weft {
namespace {

std::atomic<int64_t> compiled = 0;

}  // namespace

int64_t compiled_programs() { return compiled; }

detail::Built detail::build(const ir::Module& recorded, const Target& target, const CompileOptions& options) {
  const FloatMode mode;
  const auto start = std::chrono::steady_clock::now();
  Built built{.planned = recorded.clone()};
  ir::Module& module = built.planned;
  Dump dump(options.dump_ir, module.graph().name());
  dump.stage("recorded", module);
  if (options.check_finite) built.checks = RunChecks(module);
  std::optional<Validation> validation;
  if (validates(options.validate)) validation.emplace(module);
  const Backend& backend = target.backend();
  const auto after = [&](const ir::Module& m, const passes::PassRun& run) {
    dump.stage(run.name, m);
    if (validation) validation->check(m, run.name);
  };
  built.passes = passes::run(module, passes::pipeline(backend.pipeline()), backend.target(), {.after = after});
  built.program = backend.build(module, dump.on() ? &built.kernels : nullptr);
  dump.kernels(built.kernels);
  built.milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  ++compiled;
  return built;
}

}  // namespace weft
