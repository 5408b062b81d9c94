#include "weft/frontend/training/fit.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <list>
#include <optional>
#include <span>

#include "weft/frontend/training/check_options.h"
#include "weft/frontend/training/training_run.h"
#include "weft/runtime/data/split.h"
#include "weft/runtime/float_mode.h"

namespace weft::detail {
namespace {

namespace fs = std::filesystem;

/// Where there are several runs, an option that names a file or folder means a folder that has one for each.
FitOptions own_options(FitOptions options, const std::string& name) {
  if (name.empty()) return options;
  const auto within = [&](std::string& path, const char* ending, bool make) {
    if (path.empty()) return;
    std::error_code error;
    if (make) fs::create_directories(path, error);
    if (error) throw Error("cannot make the folder '{}': {}", path, error.message());
    path = (fs::path(path) / (name + ending)).string();
  };
  within(options.checkpoints.path, ".safetensors", true);
  within(options.checkpoints.resume, ".safetensors", false);
  within(options.files.loss_curve, ".csv", true);
  within(options.files.watched, ".jsonl", true);
  within(options.files.tensorboard, "", false);
  within(options.files.trace, ".json", true);
  within(options.files.report, ".html", true);
  within(options.program.dump_ir, "", false);
  within(options.program.reproducer, "", false);
  return options;
}

/// A parameter that both train, if there is one.
const Parameter* shared(const TrainingRun& a, const TrainingRun& b) {
  for (const Parameter& p : a.parameters())
    for (const Parameter& q : b.parameters())
      if (p.is(q)) return &p;
  return nullptr;
}

/// Runs that train the same numbers can only be at the same place, and only stop together.
void check_shared(const std::list<TrainingRun>& runs, const StopOptions& stop, const std::string& resumed) {
  for (auto a = runs.begin(); a != runs.end(); ++a)
    for (auto b = std::next(a); b != runs.end(); ++b) {
      const Parameter* const both = shared(*a, *b);
      if (!both) continue;
      if (stop.patience > 0)
        throw Error("'{}' and '{}' share '{}', so that with .stop.patience the one would go back to weights from which the other went on",
                    a->name(), b->name(), both->name())
            .of("fit_side_by_side");
      if (a->history().steps != b->history().steps)
        throw Error("'{}' and '{}' share '{}', but the files in '{}' are of step {} and of step {}", a->name(), b->name(), both->name(),
                    resumed, a->history().steps, b->history().steps)
            .of("fit_side_by_side");
    }
}

/// Each whose next batch it is trains on it.
void train_on(const Batch& batch, std::span<TrainingRun* const> runs, TrainingLog& log) {
  BatchNumbers mean{.index = batch.index};
  double count = 0;
  for (TrainingRun* run : runs) {
    if (!run->takes(batch)) continue;
    mean.batch_loss += run->step(batch).loss;
    mean.loss += run->position().tally.loss();
    mean.accuracy += run->accuracy();
    mean.samples_done = run->position().tally.samples;
    if (count++ == 0) mean.learning_rate = run->learning_rate();
    if (mean.learning_rate != run->learning_rate()) mean.learning_rate = NAN;
  }
  mean.batch_loss /= count, mean.loss /= count, mean.accuracy /= count;
  log.batch(mean);
  for (TrainingRun* run : runs) run->after_step(log);
}

/// What is left of the earliest epoch that a run is in. A run that has come further, for its checkpoint was written later,
/// joins in where it is.
void train_epoch(std::list<TrainingRun>& runs, FitData& data, TrainingLog& log, MetricsFile* metrics) {
  Position start{.epoch = std::numeric_limits<int64_t>::max()};
  for (const TrainingRun& run : runs)
    if (!run.is_over()) start.epoch = std::min(start.epoch, run.position().epoch);
  std::vector<TrainingRun*> now;
  for (TrainingRun& run : runs)
    if (!run.is_over() && run.position().epoch == start.epoch) now.push_back(&run);
  int64_t first = std::numeric_limits<int64_t>::max();
  for (const TrainingRun* run : now) first = std::min(first, run->position().tally.batches);

  data.training.start_epoch(start.epoch, first);
  log.begin_epoch(start.epoch + 1);
  while (std::any_of(now.begin(), now.end(), [](const TrainingRun* run) { return !run->is_over(); })) {
    const Batch* batch = data.training.next();
    if (!batch) break;
    train_on(*batch, now, log);
  }
  for (TrainingRun* run : now) run->end_epoch(log, metrics);
}

}  // namespace

std::vector<History> fit(const NamedRecipes& all, const Dataset& train, const Dataset* test, const FitOptions& options) {
  const FloatMode mode;
  check(options, train, test);
  std::optional<Dataset> some;
  if (options.data.overfit > 0) some = slice(train, 0, options.data.overfit);
  const Dataset& used = some ? *some : train;

  FitData data(used, test, training_batches(options.batch, options.seed, options.data), options.measure.training_set);
  std::vector<std::string> names;
  for (const auto& [name, recipe] : all) names.push_back(name);
  TrainingLog log(options.log, names, options.epochs, data.training.batches(), data.shuffled.examples(used), test != nullptr);
  std::optional<MetricsFile> metrics;
  if (!options.files.metrics.empty()) metrics.emplace(options.files.metrics);
  std::list<TrainingRun> runs;
  for (const auto& [name, recipe] : all) runs.emplace_back(name, recipe, data, own_options(options, name), log);
  log.compiled();
  check_shared(runs, options.stop, options.checkpoints.resume);
  for (const TrainingRun& run : runs)
    if (run.is_over())
      log.note(fmt::format("{}nothing is left to train: '{}' has made {} epochs and {} steps", run.name().empty() ? "" : run.name() + ": ",
                           options.checkpoints.resume, run.position().epoch, run.history().steps));

  while (std::any_of(runs.begin(), runs.end(), [](const TrainingRun& run) { return !run.is_over(); }))
    train_epoch(runs, data, log, metrics ? &*metrics : nullptr);
  std::vector<History> histories;
  for (TrainingRun& run : runs) histories.push_back(run.finish());
  log.done();
  return histories;
}

}  // namespace weft::detail
