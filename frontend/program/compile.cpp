#include "weft/frontend/program/compile.h"

#include "weft/frontend/language/defaults.h"
#include "weft/frontend/program/build.h"
#include "weft/frontend/program/step_core.h"
#include "weft/support/philox.h"

namespace weft {

Step compile(Recorded recorded, const Target& target, CompileOptions options) {
  detail::Built built = detail::build(recorded.module, target, options);
  const uint64_t seed = options.seed.value_or(current_seed());
  uint64_t key = seed;
  const bool own_stream = recorded.bindings.stream && !options.seed;
  if (own_stream) key = stream_key(*recorded.bindings.stream, seed);
  else if (recorded.bindings.stream) key = stream_key(detail::stream_of(recorded.module.graph().name(), 0), seed);
  auto core = std::make_shared<detail::StepCore>(std::move(recorded), std::move(built.planned), std::move(built.program), target, key);
  if (own_stream) core->draw_as_optimizer(seed);
  core->passes = std::move(built.passes);
  core->checks = std::move(built.checks);
  core->watch = std::move(built.watch);
  core->kernels = std::move(built.kernels);
  core->compile_milliseconds = built.milliseconds;
  core->options = std::move(options);
  return Step(std::move(core));
}

}  // namespace weft
