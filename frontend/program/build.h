#pragma once
// From a recorded module to a program: the pipeline, run with what CompileOptions ask for.

#include <memory>
#include <vector>

#include "weft/backends/program/kernel_text.h"
#include "weft/frontend/program/compile.h"
#include "weft/frontend/program/run_checks.h"
#include "weft/frontend/program/watch.h"
#include "weft/ir/module.h"
#include "weft/passes/pass.h"
#include "weft/runtime/program.h"

namespace weft::detail {

struct Built {
  ir::Module planned;  // that `program` was made from
  std::unique_ptr<Program> program;
  std::vector<passes::PassRun> passes;
  RunChecks checks;                 // if they were asked for
  Watch watch;                      // if something is
  std::vector<KernelText> kernels;  // if they were asked for
  double milliseconds = 0;
};

/// Throws as compile() does.
Built build(const ir::Module& recorded, const Target& target, const CompileOptions& options);

}  // namespace weft::detail
