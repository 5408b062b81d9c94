#include "weft/frontend/training/training_run.h"

#include <cerrno>
#include <cmath>
#include <cstring>
#include <utility>

#include "weft/frontend/program/not_finite.h"

namespace weft::detail {
namespace {

constexpr int64_t traced_steps = 10;

/// The first sample with an element that is nan or infinite, or -1.
int64_t first_not_finite(const Array& samples) {
  if (!is_floating(samples.dtype())) return -1;
  const int64_t count = samples.shape()[0], each = samples.shape().numel() / count;
  for (int64_t i = 0; i < samples.shape().numel(); ++i)
    if (!std::isfinite(samples.at(i))) return i / each;
  return -1;
}

/// A text as a field of CSV (RFC 4180).
std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + '"';
}

/// What to do about a loss that is not finite.
std::string advice(const Dataset& data) {
  for (const Dataset::Column& column : data.columns()) {
    if (!column.from) continue;
    const int64_t sample = first_not_finite(*column.from);
    if (sample < 0) continue;
    const std::string what = column.from == &data.inputs    ? "inputs that are no finite numbers"
                             : column.from == &data.targets ? "a target that is no finite number"
                                                            : fmt::format("'{}' with elements that are no finite numbers", column.name);
    return fmt::format("Sample {} of {} has {}", sample, data.title(), what);
  }
  return "A smaller learning rate often helps";
}

HowCompiled training_how(const FitOptions& o) {
  return {Use::training, o.seed, o.program, o.accumulate, o.measure.gradient_norms, o.measure.watch};
}

/// What must be equal for a continuation to see the same batches and masks.
std::string text_of_how(const FitOptions& o, const FitData& data) {
  const BatchOptions& b = data.shuffled;
  return fmt::format("{} examples, .batch = {}, .shuffle = {}, .drop_last = {}, .seed = {}, .accumulate = {}{}", data.train.size(), b.batch,
                     b.shuffle, b.drop_last, b.seed, o.accumulate, b.sampler ? ", .sampler = " + b.sampler.name : "");
}

/// While it lives, the model has the averages, if there are any.
class Averaged {
 public:
  explicit Averaged(AveragedWeights* average) : average_(average && average->count() > 0 ? average : nullptr) {
    if (average_) average_->swap();
  }
  ~Averaged() {
    if (average_) average_->swap();
  }
  Averaged(const Averaged&) = delete;
  Averaged& operator=(const Averaged&) = delete;

 private:
  AveragedWeights* average_;
};

}  // namespace

FitData::FitData(const Dataset& train, const Dataset* test, const BatchOptions& batches, bool evaluates_train)
    : train(train), test(test), shuffled(batches), in_order{.batch = batches.batch, .workers = batches.workers}, training(train, shuffled) {
  if (test) testing.emplace(*test, in_order);
  if (evaluates_train) trained.emplace(train, in_order);
}

Evaluation evaluate(Programs& programs, Batcher& batches) {
  Tally tally;
  batches.start_epoch(0);
  while (const Batch* batch = batches.next()) tally.add(programs.run(*batch), batch->size);
  return {.loss = tally.loss(), .metrics = programs.any().metrics().numbers(tally.metrics)};
}

LossCurve::LossCurve(const std::string& path) : path_(path) {
  if (path.empty()) return;
  file_.open(path);
  check();
}

void LossCurve::begin(const std::vector<std::string>& metrics) {
  if (path_.empty()) return;
  file_ << "step,loss";
  for (const std::string& name : metrics) file_ << ',' << csv_field(name);
  file_ << '\n';
  check();
}

void LossCurve::add(int64_t step, double loss, const NamedNumbers& measured) {
  if (path_.empty()) return;
  file_ << fmt::format("{},{}", step, loss);
  for (const auto& [name, number] : measured) file_ << fmt::format(",{}", number);
  file_ << '\n';
}

void LossCurve::end_epoch() {
  if (path_.empty()) return;
  file_.flush();
  check();
}

void LossCurve::check() const {
  if (!file_) throw Error("{}: cannot write the loss curve: {}", path_, std::strerror(errno));
}

TrainingRun::TrainingRun(std::string name, const Recipe& recipe, FitData& data, const FitOptions& options, TrainingLog& log)
    : name_(std::move(name)), options_(options), data_(data), learning_rate_(recipe.optimizer.learning_rate()), files_(options.checkpoints),
      curve_(options.files.loss_curve), training_(recipe, data.train, data.shuffled, training_how(options), log.announce(name_)),
      schedules_(recipe.schedules), average_(recipe.average), callbacks_(recipe.callbacks) {
  if (average_ && average_->is_swapped())
    throw Error("Trainer::fit: the model has its averages since AveragedWeights::swap()").hint("swap() back to go on with its weights");
  for (const DrivenSchedule& schedule : schedules_)
    if (schedule.watches_test_loss && !data.test)
      throw Error("Trainer::fit: a ReduceLROnPlateau watches the test loss, but there is no test set");
  if (!options_.files.tensorboard.empty()) events_.emplace(options_.files.tensorboard);
  if (!options_.files.watched.empty()) watched_.emplace(options_.files.watched);
  training_.any().check_labels(data.train);
  curve_.begin(training_.any().metrics().names());
  training_.count_into(history_);
  for (const std::string& layer : training_.any().layers()) history_.gradient_norms.emplace_back(layer, std::vector<double>());
  const HowCompiled evaluation{Use::evaluation, options_.seed, options_.program};
  if (data.test) {
    testing_.emplace(recipe, *data.test, data.in_order, evaluation, log.announce(name_)).count_into(history_);
    testing_->any().check_labels(*data.test);
  }
  if (data.trained) trained_.emplace(recipe, data.train, data.in_order, evaluation, log.announce(name_)).count_into(history_);
  if (options_.stop.patience > 0) stopping_.emplace(parameters(), options_.stop.patience);
  checkpoints_.emplace(recipe, training_.any(), options_.checkpoints, text_of_how(options_, data), data.train.size(),
                       data.training.batches(), files_, stopping_ ? &*stopping_ : nullptr);
  checkpoints_->resume(history_);
  const FileOptions& files = options_.files;
  for (const std::string& path : {files.trace, files.report})
    if (!path.empty()) FileReplacement{path};  // what cannot be written is noticed before the training, not behind it
  if (options_.measure.profile || !files.trace.empty() || !files.report.empty())
    training_.start_profile(files.trace.empty() ? 0 : traced_steps);
}

double TrainingRun::accuracy() const { return training_.any().metrics().number("accuracy", position().tally.metrics); }

bool TrainingRun::is_over() const {
  return stopped_ || (stopping_ && stopping_->is_over()) || position().epoch >= options_.epochs ||
         (options_.stop.max_steps > 0 && history_.steps >= options_.stop.max_steps);
}

/// The program on it; of a value that is not finite it is said which step made it.
Outcome TrainingRun::run(const Batch& batch) try { return training_.run(batch); } catch (NotFinite& e) {
  e.hint(fmt::format("{}this is step {} (epoch {}, batch {})", name_.empty() ? "" : name_ + ": ", history_.steps + 1, position().epoch + 1,
                     batch.index + 1));
  throw;
}

Outcome TrainingRun::step(const Batch& batch) {
  last_rate_ = learning_rate_;
  Outcome outcome = run(batch);
  ++history_.steps;
  last_loss_ = outcome.loss, last_metrics_ = outcome.metrics;
  write_step();
  for (size_t i = 0; i < outcome.gradient_norms.size(); ++i) history_.gradient_norms[i].second.push_back(outcome.gradient_norms[i]);
  if (!outcome.is_finite())
    throw Error("{}the loss is {} at step {} (epoch {}, batch {}); it is computed at {}. {}", name_.empty() ? "" : name_ + ": ",
                std::isnan(outcome.loss) ? "nan" : "infinite", history_.steps, position().epoch + 1, batch.index + 1,
                training_.any().loss_line(), advice(data_.train))
        .hint("the parameters hold what this step made of them")
        .hint(".program.check_finite names the op that made it, and undoes the step");
  if (!options_.measure.watch.empty()) write_watched(training_.watched(batch));
  if (average_) average_->update();
  checkpoints_->position().tally.add(outcome, batch.size);
  times_.push_back(outcome.microseconds);
  if (!options_.files.trace.empty() || !options_.files.report.empty()) losses_.push_back(outcome.loss);
  stepped_ = true;
  return outcome;
}

NamedNumbers TrainingRun::measured() const {
  return last_metrics_.empty() ? NamedNumbers() : training_.any().metrics().numbers(last_metrics_);
}

/// Into the files that have a place for each step.
void TrainingRun::write_step() {
  if (options_.files.loss_curve.empty() && !events_) return;
  const NamedNumbers numbers = measured();
  curve_.add(history_.steps, last_loss_, numbers);
  if (!events_) return;
  const auto add = [&](const std::string& tag, double number) {
    if (!std::isnan(number)) events_->add_scalar(tag, number, history_.steps);
  };
  add("loss/step", last_loss_);
  for (const auto& [name, number] : numbers) add(name + "/step", number);
  add("lr", last_rate_);
}

void TrainingRun::after_step(TrainingLog& log) {
  if (!std::exchange(stepped_, false)) return;
  move_schedules(Every::step, NAN);
  if (const int64_t every = options_.measure.test_every; every > 0 && history_.steps % every == 0) {
    history_.evaluations.push_back(evaluate_test());
    history_.evaluations.back().step = history_.steps;
    log.evaluation(name_, history_.evaluations.back());
    call(callbacks_.evaluation, log, &history_.evaluations.back());
  }
  call(callbacks_.step, log);
  checkpoints_->after_step(history_.steps);
}

void TrainingRun::end_epoch(TrainingLog& log, MetricsFile* metrics) {
  EpochResult result{.epoch = position().epoch + 1, .train_loss = position().tally.loss(), .learning_rate = last_rate_};
  result.train_metrics = training_.any().metrics().numbers(position().tally.metrics);
  result.step_us = median(std::exchange(times_, {}));
  curve_.end_epoch();
  const auto note = [](const Evaluation& measured, double& loss, NamedNumbers& metrics) {
    loss = measured.loss, metrics = measured.metrics;
  };
  if (trained_) note(evaluate(*trained_, *data_.trained), result.train_loss, result.train_metrics);
  Evaluation tested;
  if (testing_) note(tested = evaluate_test(), result.test_loss, result.test_metrics);
  tested.step = history_.steps;
  history_.epochs.push_back(result);
  log.end_epoch(name_, result, !schedules_.empty());
  if (metrics) write_metrics(*metrics);
  if (events_) write_events();
  // Of an epoch that max_steps cuts short, a checkpoint holds what was before: it is looked at again when it is complete.
  const bool complete = checkpoints_->is_epoch_complete();
  if (!complete) checkpoints_->after_epoch(history_);
  if (stopping_) {
    const Averaged weights(average_);
    stopping_->step(result.test_loss);
  }
  if (complete) move_schedules(Every::epoch, result.test_loss);
  if (testing_) call(callbacks_.evaluation, log, &tested);
  call(callbacks_.epoch, log);
  if (complete) checkpoints_->after_epoch(history_);
}

Evaluation TrainingRun::evaluate_test() {
  const Averaged weights(average_);
  return evaluate(*testing_, *data_.testing);
}

void TrainingRun::call(const std::vector<Callback>& callbacks, TrainingLog& log, const Evaluation* evaluation) {
  if (callbacks.empty()) return;
  TrainingState training({.name = name_,
                          .history = history_,
                          .epoch = position().epoch + 1,
                          .loss = last_loss_,
                          .evaluation = evaluation,
                          .measured = [this] { return measured(); },
                          .learning_rate = learning_rate_,
                          .log = [&](const std::string& text) { log.note(text); }});
  for (const Callback& callback : callbacks) callback(training);
  stopped_ = stopped_ || training.is_stopped();
}

void TrainingRun::move_schedules(Every what, double test_loss) {
  for (const DrivenSchedule& schedule : schedules_)
    if (schedule.every == what) schedule.step(test_loss);
}

History TrainingRun::finish() {
  if (stopping_) {
    stopping_->restore();
    history_.best_epoch = stopping_->best_step();
  }
  write_reports();
  return std::move(history_);
}

void TrainingRun::write_reports() {
  const Step& step = training_.that_ran().step();
  if (options_.measure.profile) history_.profile = step.profile();
  if (losses_.empty()) return;
  if (!options_.files.trace.empty()) step.trace(options_.files.trace);
  if (!options_.files.report.empty()) step.report(options_.files.report, {.losses = losses_});
}

void TrainingRun::write_metrics(MetricsFile& file) const {
  const EpochResult& r = history_.last();
  std::vector<std::pair<std::string, MetricValue>> line{{"epoch", r.epoch}};
  if (!name_.empty()) line.emplace_back("net", name_);
  const auto add = [&](const std::string& prefix, double loss, const NamedNumbers& metrics) {
    line.emplace_back(prefix + "loss", loss);
    for (const auto& [name, number] : metrics) line.emplace_back(prefix + name, number);
  };
  add("train_", r.train_loss, r.train_metrics);
  if (testing_) add("test_", r.test_loss, r.test_metrics);
  line.emplace_back("lr", r.learning_rate);
  line.emplace_back("step_us", r.step_us);
  line.emplace_back("planned_bytes", static_cast<int64_t>(history_.planned_bytes));
  line.emplace_back("compile_ms", history_.compile_ms);
  file.write(line);
}

/// A line for each value, and its histogram.
void TrainingRun::write_watched(const std::vector<WatchedValue>& all) {
  for (const WatchedValue& w : all) {
    if (watched_) watched_->write(line_of(w, history_.steps, name_));
    if (events_) events_->add_histogram(w.name, histogram_of(w.dtype, w.data, w.values.count), history_.steps);
  }
}

/// The same numbers over the training steps made so far.
void TrainingRun::write_events() {
  const EpochResult& r = history_.last();
  const auto add = [&](const std::string& behind, double loss, const NamedNumbers& metrics) {
    if (!std::isnan(loss)) events_->add_scalar("loss" + behind, loss, history_.steps);
    for (const auto& [name, number] : metrics)
      if (!std::isnan(number)) events_->add_scalar(name + behind, number, history_.steps);
  };
  add("/train", r.train_loss, r.train_metrics);
  add("/test", r.test_loss, r.test_metrics);
  events_->flush();
}

}  // namespace weft::detail
