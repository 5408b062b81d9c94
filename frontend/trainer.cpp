#include "weft/frontend/trainer.h"

#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>

#include "weft/frontend/specialization.h"
#include "weft/frontend/training_log.h"
#include "weft/runtime/metrics.h"

namespace weft {
namespace {

using detail::Outcome;
using detail::Programs;

/// Adds up what the batches of an epoch gave.
struct Tally {
  double losses = 0;
  int64_t batches = 0, correct = 0, samples = 0;

  void add(const Outcome& outcome, int64_t size) {
    losses += outcome.loss;
    correct += outcome.correct;
    samples += size;
    ++batches;
  }
  double loss() const { return losses / static_cast<double>(batches); }
  double accuracy(const Programs& programs) const {
    return programs.any().counts_correct() ? static_cast<double>(correct) / static_cast<double>(samples) : NAN;
  }
};

/// The loss of every step as it comes, if the options name a file.
class LossCurve {
 public:
  explicit LossCurve(const std::string& path) : path_(path) {
    if (path.empty()) return;
    file_.open(path);
    file_ << "step,loss\n";
    check();
  }
  void add(int64_t step, double loss) {
    if (!path_.empty()) file_ << fmt::format("{},{}\n", step, loss);
  }
  void end_epoch() {
    if (path_.empty()) return;
    file_.flush();
    check();
  }

 private:
  void check() const {
    if (!file_) throw Error("{}: cannot write the loss curve: {}", path_, std::strerror(errno));
  }

  std::string path_;
  std::ofstream file_;
};

/// One pass over the training data, or up to options.max_steps.
void train_epoch(Programs& programs, Batcher& batches, const FitOptions& options, detail::TrainingLog& log,
                 LossCurve& curve, History& history, EpochResult& result) {
  Tally tally;
  std::vector<double> times;
  const bool counts = programs.any().counts_correct();
  while (options.max_steps == 0 || history.steps < options.max_steps) {
    const Batch* batch = batches.next();
    if (!batch) break;
    const Outcome outcome = programs.run(*batch);
    curve.add(++history.steps, outcome.loss);
    if (!std::isfinite(outcome.loss))
      throw Error("the loss is {} at step {} (epoch {}, batch {}); it is computed at {}. A smaller learning rate often helps; "
                  "the parameters hold what this step made of them", std::isnan(outcome.loss) ? "nan" : "infinite", history.steps, result.epoch,
                  batch->index + 1, programs.any().loss_line());
    tally.add(outcome, batch->size);
    times.push_back(outcome.microseconds);
    log.batch(batch->index, tally.samples, outcome.loss,
              counts ? static_cast<double>(outcome.correct) / static_cast<double>(batch->size) : NAN);
  }
  result.train_loss = tally.loss();
  result.train_accuracy = tally.accuracy(programs);
  result.step_us = median(std::move(times));
}

void evaluate(Programs& programs, Batcher& batches, EpochResult& result) {
  Tally tally;
  batches.start_epoch(0);
  while (const Batch* batch = batches.next()) tally.add(programs.run(*batch), batch->size);
  result.test_loss = tally.loss();
  result.test_accuracy = tally.accuracy(programs);
}

void write(MetricsFile& file, const History& history, bool tests) {
  const EpochResult& r = history.last();
  std::vector<std::pair<std::string, MetricValue>> line{{"epoch", r.epoch}, {"train_loss", r.train_loss}};
  if (!std::isnan(r.train_accuracy)) line.emplace_back("train_accuracy", r.train_accuracy);
  if (tests) line.emplace_back("test_loss", r.test_loss);
  if (!std::isnan(r.test_accuracy)) line.emplace_back("test_accuracy", r.test_accuracy);
  line.emplace_back("step_us", r.step_us);
  line.emplace_back("planned_bytes", static_cast<int64_t>(history.planned_bytes));
  line.emplace_back("compile_ms", history.compile_ms);
  file.write(line);
}

void check(const Dataset& data, const char* which) {
  data.check();
  if (data.size() == 0) throw Error("Trainer::fit: the {} set '{}' is empty", which, data.name);
}

}  // namespace

History Trainer::fit(const Dataset& train, const Dataset& test, const FitOptions& options) {
  return fit(train, &test, options);
}

History Trainer::fit(const Dataset& train, const FitOptions& options) { return fit(train, nullptr, options); }

History Trainer::fit(const Dataset& train, const Dataset* test, const FitOptions& options) {
  if (options.epochs < 1 || options.batch < 1 || options.max_steps < 0 || options.threads < 0)
    throw Error("Trainer::fit: .epochs ({}) and .batch ({}) must be positive, .max_steps ({}) and .threads ({}) not negative",
                options.epochs, options.batch, options.max_steps, options.threads);
  check(train, "training");
  if (test) check(*test, "test");
  detail::TrainingLog log(options.log, options.epochs, options.batch, train.size(), test != nullptr);
  std::optional<MetricsFile> metrics;
  if (!options.metrics.empty()) metrics.emplace(options.metrics);

  LossCurve curve(options.loss_curve);

  const detail::Recipe recipe{model_, loss_, optimizer_, at_};
  History history;
  Programs training(recipe, train, true, options);
  training.count_into(history);
  std::optional<Programs> testing;
  if (test) testing.emplace(recipe, *test, false, options).count_into(history);
  Batcher train_batches(train, {.batch = options.batch, .shuffle = options.shuffle, .seed = options.seed});
  std::optional<Batcher> test_batches;
  if (test) test_batches.emplace(*test, BatchOptions{.batch = options.batch});

  if (options.profile) Step(training.any().step()).start_profile();
  for (int64_t epoch = 1; epoch <= options.epochs; ++epoch) {
    if (options.max_steps > 0 && history.steps >= options.max_steps) break;
    EpochResult result{.epoch = epoch};
    train_batches.start_epoch(epoch - 1);
    log.begin_epoch(epoch);
    train_epoch(training, train_batches, options, log, curve, history, result);
    curve.end_epoch();
    if (testing) evaluate(*testing, *test_batches, result);
    history.epochs.push_back(result);
    log.end_epoch(result);
    if (metrics) write(*metrics, history, test != nullptr);
  }
  log.done();
  if (options.profile) history.profile = training.any().step().profile_table();
  return history;
}

}  // namespace weft
