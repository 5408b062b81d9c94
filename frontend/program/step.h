#pragma once
// A compiled program, called once per batch.

#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weft/backends/program/kernel_text.h"
#include "weft/frontend/program/results.h"
#include "weft/frontend/program/watch.h"
#include "weft/frontend/report/cost.h"
#include "weft/frontend/report/fusion.h"
#include "weft/frontend/report/memory_plan.h"
#include "weft/frontend/report/profile.h"
#include "weft/passes/pass.h"
#include "weft/runtime/view.h"

namespace weft {

struct SaveOptions {
  /// What to compile kernels for: of the cpu "sse4", "avx2", "avx512", which the machine that saves need not have. Empty: all of
  /// them, up to the limit (max_isa) of the target that the step was compiled for.
  std::vector<std::string> machines = {};
};

struct ReportOptions {
  /// Of training steps, in order: drawn as a curve.
  std::vector<double> losses = {};
};

/// A handle. Parameters and optimizer state are read and written where they are, hyper-parameters read as they stand.
class Step {
 public:
  explicit Step(std::shared_ptr<detail::StepCore> core) : core_(std::move(core)) {}
  // Moving copies, so that there is no handle of nothing.
  Step(const Step&) = default;
  Step& operator=(const Step&) = default;

  /// Runs once: step({{"x", images}, {"y", labels}}), one entry for each input of the graph, read in place. weft allocates
  /// nothing here. What the step writes may be fed too, its own results and the parameters that it updates: that is copied
  /// before, to a place that the first such call makes.
  ///
  /// Throws weft::Error naming the input, what it requires, what was given and its source line: for a missing or unknown
  /// name, another element type or count, and an index outside its range (the element and the bound). Throws when a
  /// hyper-parameter that was off when recorded has been set, and when another thread is inside the same step.
  Results operator()(std::initializer_list<Feed> feeds = {}) { return run({feeds.begin(), feeds.size()}); }
  /// The same for a list made at run time.
  Results run(std::span<const Feed> feeds);

  /// Writes the program to a file, from which load_step (backends/saved/load_step.h) runs it where there is no compiler: on this
  /// machine and others. Elements of parameters and of the optimizer's state are no part of it: Checkpoint (training/checkpoint.h) writes them. Numbers
  /// (learning rates, dropout rates) start there as they stand now, counts of steps at 0.
  ///
  /// Throws weft::Error for a target whose programs are none that files hold (the reference), for two parameters of one name, and
  /// naming what cannot be written.
  void save(const std::string& path, const SaveOptions& options = {}) const;

  /// The graph's name.
  const std::string& name() const;
  /// The text form after a pass, or "recorded". Throws weft::Error with the nearest names.
  std::string ir(std::string_view pass) const;
  /// The passes that ran, with their times.
  const std::vector<passes::PassRun>& passes() const;
  /// One line per launch or library call, in order.
  std::vector<std::string> calls() const;
  /// The generated code; compiles once more on the first call.
  const std::vector<KernelText>& kernels() const;
  /// Bytes of the arena for every intermediate value.
  size_t arena_bytes() const;
  double compile_milliseconds() const;

  // What a step tells about itself, as values: each has a table() for people, a json() for programs, and is a part of report().

  /// From the next call on, measures where each step's time goes: two readings of the clock for each launch or library call of each
  /// thread, and for each wait. Of the first `traced_steps` it keeps when, too, in memory that is taken here: 32 bytes a measurement. Starting again forgets what was measured.
  void start_profile(int64_t traced_steps = 0);
  /// What was measured, by part of the step, layer, source line, op and kernel, and call by call.
  Profile profile() const;
  /// The plan of the arena: what lies where from when to when, and the peak.
  MemoryPlan memory() const;
  /// What became one kernel, and why what did not did not. Runs the passes once more.
  Fusion fusion() const;
  /// FLOPs and bytes of the planned program by part of the step, layer, source line and op.
  Cost cost() const;
  /// Writes the steps that start_profile(traced_steps) asked for, as chrome://tracing and ui.perfetto.dev read them: a track a
  /// thread, each call named by its layer and op. Throws weft::Error when none was traced, and for a file that cannot be written.
  void trace(const std::string& path) const;
  /// Writes all of it as one HTML page that needs no network: the graph after every pass, by layer and part of the step, with source
  /// lines, kernels and their code; the arena over the step; where the time went, if start_profile() came before. Compiles kernels
  /// and runs the passes once more. Throws weft::Error for a file that cannot be written.
  void report(const std::string& path, const ReportOptions& options = {}) const;

  /// What CompileOptions::watch names, of the last call; empty where nothing is watched. Reads all of their elements.
  std::vector<WatchedValue> watched() const;

 private:
  std::shared_ptr<detail::StepCore> core_;
};

}  // namespace weft
