#include "weft/frontend/program/step.h"

#include <algorithm>

#include "weft/frontend/language/scope.h"
#include "weft/frontend/program/step_core.h"
#include "weft/frontend/report/page.h"
#include "weft/frontend/report/trace.h"
#include "weft/ir/printer.h"
#include "weft/runtime/float_mode.h"
#include "weft/runtime/replace_file.h"

namespace weft {

Results Step::run(std::span<const Feed> feeds) {
  Results results{core_, core_->run(feeds)};
  core_->handed_out();
  return results;
}

const std::string& Step::name() const { return core_->name(); }

std::string Step::ir(std::string_view pass) const {
  if (pass == "recorded") return core_->recorded.ir();
  std::vector<std::string> known{"recorded"};
  for (const passes::PassRun& run : core_->passes) known.push_back(run.name);
  if (std::find(known.begin(), known.end(), pass) == known.end())
    throw Error("no pass '{}' ran for the target '{}' (there are: {})", pass, core_->target.name(), detail::comma_separated(known))
        .of(fmt::format("step '{}'", name()))
        .hint(did_you_mean(pass, known));
  // What was chosen by measurement stands in the program's own.
  if (pass == core_->planned.stage && !core_->options.check_finite) return ir::print(core_->planned);
  const FloatMode mode;
  // Passes are deterministic, so running them again is as good as having kept every other stage.
  ir::Module module = core_->recorded.module.clone();
  passes::run(module, passes::pipeline(core_->target.backend().pipeline()), core_->target.backend().target(),
              {.stop_after = std::string(pass)});
  return ir::print(module);
}

const std::vector<passes::PassRun>& Step::passes() const { return core_->passes; }
std::vector<std::string> Step::calls() const { return core_->program->calls(); }

const std::vector<KernelText>& Step::kernels() const {
  const FloatMode mode;
  if (core_->kernels.empty()) core_->target.backend().build(core_->planned, &core_->kernels);
  return core_->kernels;
}

size_t Step::arena_bytes() const { return core_->program->arena_bytes(); }
double Step::compile_milliseconds() const { return core_->compile_milliseconds; }

void Step::start_profile(int64_t traced_steps) { core_->start_profile(traced_steps); }
Profile Step::profile() const {
  const Program& program = *core_->program;
  const std::vector<CallTime> calls = program.profile();
  const std::vector<std::vector<std::string>> recorded = calls.empty() ? decltype(recorded)() : core_->recorded_of_calls();
  return detail::profile_of(calls, core_->planned.graph(),
                            detail::read_limits(core_->target.backend().machine(), program.threads(), core_->options.cache), recorded);
}
MemoryPlan Step::memory() const { return detail::memory_plan(core_->planned); }
Cost Step::cost() const { return detail::cost_of(core_->planned.graph()); }

Fusion Step::fusion() const { return detail::fusion_of(core_->planned.graph(), calls(), core_->replayed()); }

void Step::trace(const std::string& path) const {
  const Trace trace = core_->program->trace();
  if (trace.steps.empty())
    throw Error("no step was traced").of(fmt::format("step '{}'", name())).hint("start_profile(n) comes before the n steps to trace");
  replace_file(path, detail::trace_text(trace, profile(), name()));
}

void Step::report(const std::string& path, const ReportOptions& options) const {
  const FloatMode mode;
  const Backend& backend = core_->target.backend();
  replace_file(path, detail::page_text({.recorded = core_->recorded.module,
                                        .planned = core_->planned,
                                        .target = backend.target(),
                                        .passes = passes::pipeline(backend.pipeline()),
                                        .runs = core_->passes,
                                        .calls = calls(),
                                        .kernels = kernels(),
                                        .profile = profile(),
                                        .losses = options.losses,
                                        .source_path = detail::source_path}));
}

std::vector<WatchedValue> Step::watched() const { return core_->watch.read(*core_->program); }

}  // namespace weft
