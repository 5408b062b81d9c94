#include "weft/frontend/compile.h"

#include "weft/frontend/build.h"
#include "weft/frontend/defaults.h"
#include "weft/frontend/step_core.h"

namespace weft {

Step compile(Recorded recorded, const Target& target, CompileOptions options) {
  detail::Built built = detail::build(recorded.module, target, options);
  auto core = std::make_shared<detail::StepCore>(std::move(recorded), std::move(built.planned), std::move(built.program), target,
                                                 options.seed.value_or(current_seed()));
  core->passes = std::move(built.passes);
  core->checks = std::move(built.checks);
  core->kernels = std::move(built.kernels);
  core->compile_milliseconds = built.milliseconds;
  core->options = std::move(options);
  return Step(std::move(core));
}

}  // namespace weft
