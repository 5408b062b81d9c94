#include "weft/frontend/trainer.h"

#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>

#include "weft/frontend/checkpoints.h"
#include "weft/frontend/early_stopping.h"
#include "weft/frontend/specialization.h"
#include "weft/frontend/training_log.h"
#include "weft/runtime/data/split.h"
#include "weft/runtime/event_file.h"
#include "weft/runtime/metrics.h"

namespace weft {
namespace {

using detail::Outcome;
using detail::Programs;
using detail::Tally;

double accuracy(const Tally& tally, const Programs& programs) {
  return programs.any().counts_correct() ? static_cast<double>(tally.correct) / static_cast<double>(tally.samples) : NAN;
}

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

/// One pass over the training data, or what is left of it, or up to options.max_steps. `evaluate` is called after every
/// eval_every steps.
void train_epoch(Programs& programs, Batcher& batches, const FitOptions& options, detail::TrainingLog& log, LossCurve& curve,
                 History& history, EpochResult& result, detail::Checkpoints& checkpoints, const std::function<Evaluation()>& evaluate) {
  Tally& tally = checkpoints.position().tally;
  std::vector<double> times;
  const bool counts = programs.any().counts_correct();
  while (options.max_steps == 0 || history.steps < options.max_steps) {
    const Batch* batch = batches.next();
    if (!batch) break;
    const Outcome outcome = programs.run(*batch);
    curve.add(++history.steps, outcome.loss);
    for (size_t i = 0; i < outcome.gradient_norms.size(); ++i) history.gradient_norms[i].second.push_back(outcome.gradient_norms[i]);
    if (!std::isfinite(outcome.loss))
      throw Error("the loss is {} at step {} (epoch {}, batch {}); it is computed at {}. A smaller learning rate often helps; "
                  "the parameters hold what this step made of them", std::isnan(outcome.loss) ? "nan" : "infinite", history.steps, result.epoch,
                  batch->index + 1, programs.any().loss_line());
    tally.add(outcome, batch->size);
    times.push_back(outcome.microseconds);
    log.batch(batch->index, tally.samples, outcome.loss,
              counts ? static_cast<double>(outcome.correct) / static_cast<double>(batch->size) : NAN);
    if (options.eval_every > 0 && history.steps % options.eval_every == 0) {
      history.evaluations.push_back(evaluate());
      history.evaluations.back().step = history.steps;
      log.evaluation(history.evaluations.back());
    }
    checkpoints.after_step(history.steps);
  }
  result.train_loss = tally.loss();
  result.train_accuracy = accuracy(tally, programs);
  result.step_us = median(std::move(times));
}

Evaluation evaluation(Programs& programs, Batcher& batches) {
  Tally tally;
  batches.start_epoch(0);
  while (const Batch* batch = batches.next()) tally.add(programs.run(*batch), batch->size);
  return {.loss = tally.loss(), .accuracy = accuracy(tally, programs)};
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

/// The same numbers over the training steps made so far.
void write(EventFile& file, const History& history) {
  const EpochResult& r = history.last();
  const std::pair<const char*, double> points[] = {{"loss/train", r.train_loss}, {"loss/test", r.test_loss},
                                                   {"accuracy/train", r.train_accuracy}, {"accuracy/test", r.test_accuracy}};
  for (const auto& [tag, value] : points)
    if (!std::isnan(value)) file.add_scalar(tag, value, history.steps);
  file.flush();
}

}  // namespace

History Trainer::fit(const Dataset& train, const Dataset& test, const FitOptions& options) {
  return fit(train, &test, options);
}

History Trainer::fit(const Dataset& train, const FitOptions& options) { return fit(train, nullptr, options); }

History Trainer::fit(const Dataset& train, const Dataset* test, const FitOptions& options) {
  detail::check(options, train, test);
  if (options.overfit == 0) return fit_all(train, test, options);
  return fit_all(slice(train, 0, options.overfit), test, options);
}

Evaluation Trainer::evaluate(const Dataset& data, const FitOptions& options) {
  FitOptions once = options;  // what is about training does not matter
  once.overfit = once.patience = once.eval_every = 0;
  detail::check(once, data, nullptr);
  const detail::Recipe recipe{model_, loss_, optimizer_, at_};
  Programs programs(recipe, data, false, options);
  programs.any().check_labels(data);
  Batcher batches(data, BatchOptions{.batch = options.batch, .workers = options.workers});
  return evaluation(programs, batches);
}

History Trainer::fit_all(const Dataset& train, const Dataset* test, const FitOptions& options) {
  detail::TrainingLog log(options.log, options.epochs, options.batch, train.size(), test != nullptr);
  std::optional<MetricsFile> metrics;
  if (!options.metrics.empty()) metrics.emplace(options.metrics);
  std::optional<EventFile> events;
  if (!options.tensorboard.empty()) events.emplace(options.tensorboard);
  LossCurve curve(options.loss_curve);

  const detail::Recipe recipe{model_, loss_, optimizer_, at_};
  History history;
  Programs training(recipe, train, true, options);
  training.any().check_labels(train);
  training.count_into(history);
  for (const std::string& layer : training.any().layers()) history.gradient_norms.emplace_back(layer, std::vector<double>());
  std::optional<Programs> testing;
  if (test) {
    testing.emplace(recipe, *test, false, options).count_into(history);
    testing->any().check_labels(*test);
  }
  Batcher train_batches(train, detail::training_batches(options));
  std::optional<Batcher> test_batches;
  if (test) test_batches.emplace(*test, BatchOptions{.batch = options.batch, .workers = options.workers});
  std::optional<EarlyStopping> stopping;
  if (options.patience > 0) stopping.emplace(training.any().parameters(), options.patience);

  detail::Checkpoints checkpoints(recipe, training.any(), options, train.size(), train_batches.batches(), stopping ? &*stopping : nullptr);
  checkpoints.resume(history);

  if (options.profile) Step(training.any().step()).start_profile();
  bool stop = stopping && stopping->is_over();
  while (checkpoints.position().epoch < options.epochs && !stop) {
    if (options.max_steps > 0 && history.steps >= options.max_steps) break;
    EpochResult result{.epoch = checkpoints.position().epoch + 1};
    train_batches.start_epoch(checkpoints.position().epoch, checkpoints.position().tally.batches);
    log.begin_epoch(result.epoch);
    train_epoch(training, train_batches, options, log, curve, history, result, checkpoints,
                [&] { return evaluation(*testing, *test_batches); });
    curve.end_epoch();
    if (testing) {
      const Evaluation test_result = evaluation(*testing, *test_batches);
      result.test_loss = test_result.loss, result.test_accuracy = test_result.accuracy;
    }
    history.epochs.push_back(result);
    log.end_epoch(result);
    if (metrics) write(*metrics, history, test != nullptr);
    if (events) write(*events, history);
    // Of an epoch that max_steps cuts short, a checkpoint holds what was before: it is looked at again when it is complete.
    const bool complete = checkpoints.is_epoch_complete();
    if (!complete) checkpoints.after_epoch(history);
    stop = stopping && stopping->step(result.test_loss);
    if (complete) checkpoints.after_epoch(history);
  }
  if (stopping) {
    stopping->restore();
    history.best_epoch = stopping->best_step();
  }
  log.done();
  if (options.profile) history.profile = training.any().step().profile_table();
  return history;
}

}  // namespace weft
