#include "weft/frontend/program/build.h"

#include <atomic>
#include <chrono>

#include "weft/frontend/program/dump.h"
#include "weft/frontend/program/program_cache.h"
#include "weft/frontend/program/remembered_programs.h"
#include "weft/frontend/program/validation.h"
#include "weft/runtime/float_mode.h"

namespace weft {
namespace {

std::atomic<int64_t> compiled = 0;

double since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

/// Compiles the recorded module that `built` holds, and returns it in a form that can be loaded again.
detail::ProgramCache::Entry compile_portably(const Backend& backend, detail::Built& built) {
  built.passes = passes::run(built.planned, passes::pipeline(backend.pipeline()), backend.target());
  backend.tune(built.planned);
  detail::ProgramCache::Entry entry{built.planned.clone(), built.passes, backend.lower(built.planned)};
  built.program = backend.load(entry.program);
  ++compiled;
  return entry;
}

/// What is kept there, which is compiled now if it is not; `built` holds the recorded module.
void from_cache(const detail::ProgramCache& cache, const Backend& backend, detail::Built& built) {
  if (std::optional<detail::ProgramCache::Entry> found = cache.find()) {
    try {
      built.program = backend.load(std::move(found->program));
      built.planned = std::move(found->planned);
      built.passes = std::move(found->passes);
      return;
    } catch (const std::exception&) {
      // It was made for another library, or is none of weft's: as if it were not there.
    }
  }
  cache.keep(compile_portably(backend, built));
}

/// What this process compiled before, else compiled now and remembered.
void from_memory(const std::string& key, const Backend& backend, detail::Built& built) {
  if (const auto known = detail::remembered_program(key)) {
    built.program = backend.load(known->program);
    built.planned = known->planned.clone();
    built.passes = known->passes;
    return;
  }
  detail::remember_program(key, compile_portably(backend, built));
}

}  // namespace

int64_t compiled_programs() { return compiled; }

detail::Built detail::build(const ir::Module& recorded, const Target& target, const CompileOptions& options) {
  const FloatMode mode;
  const auto start = std::chrono::steady_clock::now();
  Built built{.planned = recorded.clone()};
  ir::Module& module = built.planned;
  Dump dump(options.dump_ir, module.graph().name());
  const Backend& backend = target.backend();
  if (!dump.on() && !options.check_finite && options.watch.empty() && !validates(options.validate)) {
    const ProgramCache cache(options.cache, recorded, backend);
    if (cache.on()) {
      from_cache(cache, backend, built);
      built.milliseconds = since(start);
      return built;
    }
    if (const std::string key = Remembering::on() ? program_key(recorded, backend) : ""; !key.empty()) {
      from_memory(key, backend, built);
      built.milliseconds = since(start);
      return built;
    }
  }
  dump.stage("recorded", module);
  if (options.check_finite) built.checks = RunChecks(module);
  if (!options.watch.empty()) built.watch = Watch(module, options.watch);
  std::optional<Validation> validation;
  if (validates(options.validate)) validation.emplace(module);
  const auto after = [&](const ir::Module& m, const passes::PassRun& run) {
    dump.stage(run.name, m);
    if (!validation) return;
    if (run.changed && passes::find_pass(run.name).changes_types) validation.emplace(m);  // to compare the later passes with
    else validation->check(m, run.name);
  };
  const auto [first, rest] = around_training_step(passes::pipeline(backend.pipeline()));
  built.passes = passes::run(module, first, backend.target(), {.after = after});
  built.watch.add_updates(module);
  for (passes::PassRun& run : passes::run(module, rest, backend.target(), {.after = after})) built.passes.push_back(std::move(run));
  backend.tune(module);
  built.program = backend.build(module, dump.on() ? &built.kernels : nullptr);
  dump.kernels(built.kernels);
  built.milliseconds = since(start);
  ++compiled;
  return built;
}

}  // namespace weft
