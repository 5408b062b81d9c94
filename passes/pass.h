#pragma once
// The pipeline is data: a list of named passes. One wrapper runs them: it names, times, verifies and dumps each, and
// can leave one out or stop after one. It runs a pass on the bodies of loops (ir/ops/loop.h) first, each as a module of its own.

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "weft/ir/module.h"
#include "weft/passes/facts.h"
#include "weft/passes/target.h"

namespace weft::passes {

class Remarks;

struct Pass {
  std::string name;
  std::string doc;
  /// What must be true before it runs, and what is true afterwards: both are looked for by run().
  std::vector<const Fact*> needs;
  std::vector<const Fact*> promises;
  /// Returns whether it changed anything.
  std::function<bool(ir::Module&, const Target&)> run;
  /// Does it choose other types to compute in, so that results may differ by more than rounding in those that were recorded?
  bool changes_types = false;
  /// The same as `run`, and says what there is to say of the module's graph, that of loops' bodies aside; null: it never says anything.
  std::function<bool(ir::Module&, const Target&, Remarks&)> remark = nullptr;
};

/// Every pass, in the order of the pipeline "compile".
const std::vector<Pass>& all_passes();
/// Throws weft::Error with the nearest names.
const Pass& find_pass(std::string_view name);

/// "compile": from a recorded graph to a planned one. "step": only autocast, autodiff and training_step. "simplify": the
/// passes that need no target. Throws weft::Error with the nearest names.
std::vector<std::string> pipeline(std::string_view name);

/// What is known of one run of one pass.
struct PassRun {
  std::string name;
  bool changed = false;
  double milliseconds = 0;
  /// Steps that it counted (support/work.h), verifying included: what is to grow with the number of ops and no faster.
  int64_t work = 0;
};

struct RunOptions {
  std::set<std::string> disabled = {};
  std::string stop_after = {};
  /// Where the passes say what they have to say (passes/remarks.h). Ops that are remarked on get marks then.
  Remarks* remarks = nullptr;
  /// Called after every pass that ran.
  std::function<void(const ir::Module&, const PassRun&)> after = {};
};

/// Runs the passes in order, verifies after the first and after each that changed something, and sets module.target and
/// module.stage. Throws weft::Error with the nearest names for an unknown pass, in the options too, and for a pass that needs what
/// is not so, naming who sees to it and where; InternalError when a pass breaks the graph or does not keep what it promises.
std::vector<PassRun> run(ir::Module& module, const std::vector<std::string>& passes, const Target& target, const RunOptions& options = {});
/// The same for one pass, which need not be one of weft's.
PassRun run_pass(ir::Module& module, const Pass& pass, const Target& target);

/// What is left of a pipeline for this module.
std::vector<std::string> remaining_passes(const ir::Module& module, std::string_view pipeline = "compile");

}  // namespace weft::passes
