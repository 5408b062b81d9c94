#include "weft/frontend/training/check_options.h"

#include "weft/frontend/training/training_log.h"
#include "weft/support/error.h"

namespace weft::detail {
namespace {

void check_set(const char* verb, const char* which, const Dataset& data) {
  data.check();
  if (data.size() == 0) throw Error("the {} set{} is empty", which, data.name.empty() ? "" : " '" + data.name + "'").of(verb);
}

/// What all verbs read.
void check_program(const char* verb, int64_t batch, const std::string& log, const ProgramOptions& program) {
  if (batch < 1) throw Error(".batch ({}) must be positive", batch).of(verb);
  if (program.threads < 0) throw Error(".program.threads ({}) must not be negative", program.threads).of(verb);
  if (program.threads > 0) program.target.with_threads(program.threads);  // which throws where there are none
  TrainingLog::style_named(log);
}

/// What the steps of a training are made of.
void check_steps(const char* verb, const DataOptions& data, int64_t accumulate, int64_t batch) {
  if (data.overfit < 0) throw Error(".data.overfit ({}) must not be negative", data.overfit).of(verb);
  if (data.workers < 1) throw Error(".data.workers ({}) must be positive", data.workers).of(verb);
  if (accumulate < 1 || accumulate > batch)
    throw Error(".accumulate ({}) must be positive and not above .batch ({})", accumulate, batch).of(verb);
}

void check_test_set_is_there(const FitOptions& o) {
  const char* const verb = "Trainer::fit";
  if (o.measure.test_every > 0) throw Error(".measure.test_every evaluates on the test set, but there is none").of(verb);
  if (o.stop.patience > 0) throw Error(".stop.patience watches the test loss, but there is no test set").of(verb);
  if (o.checkpoints.keep_best) throw Error(".checkpoints.keep_best watches the test loss, but there is no test set").of(verb);
}

}  // namespace

void check(const FitOptions& o, const Dataset& train, const Dataset* test) {
  const char* const verb = "Trainer::fit";
  if (o.epochs < 1) throw Error(".epochs ({}) must be positive", o.epochs).of(verb);
  check_program(verb, o.batch, o.log, o.program);
  check_steps(verb, o.data, o.accumulate, o.batch);
  if (o.stop.max_steps < 0 || o.stop.patience < 0)
    throw Error(".stop.max_steps ({}) and .patience ({}) must not be negative", o.stop.max_steps, o.stop.patience).of(verb);
  if (o.measure.test_every < 0) throw Error(".measure.test_every ({}) must not be negative", o.measure.test_every).of(verb);
  if (!o.measure.watch.empty() && o.files.watched.empty() && o.files.tensorboard.empty())
    throw Error(".measure.watch needs .files.watched or .files.tensorboard to go into").of(verb);
  if (o.measure.watch.empty() && !o.files.watched.empty()) throw Error(".files.watched needs a .measure.watch").of(verb);
  const CheckpointOptions& c = o.checkpoints;
  if (c.every < 0 || c.keep_last < 0)
    throw Error(".checkpoints.every ({}) and .keep_last ({}) must not be negative", c.every, c.keep_last).of(verb);
  if (c.path.empty() && (c.every > 0 || c.keep_last > 0 || c.keep_best))
    throw Error(".checkpoints.every, .keep_last and .keep_best need a .checkpoints.path").of(verb);
  if (!test) check_test_set_is_there(o);
  check_set(verb, "training", train);
  if (test) check_set(verb, "test", *test);
}

void check(const EvaluateOptions& o, const Dataset& data) {
  const char* const verb = "Trainer::evaluate";
  check_program(verb, o.batch, o.log, o.program);
  if (o.workers < 1) throw Error(".workers ({}) must be positive", o.workers).of(verb);
  check_set(verb, "data", data);
}

void check(const LrSearchOptions& o, const Dataset& train) {
  const char* const verb = "Trainer::find_lr";
  if (!(o.min_lr > 0) || !(o.max_lr > o.min_lr) || o.steps < 2 || !(o.stop_factor >= 0))
    throw Error("0 < .min_lr ({}) < .max_lr ({}), at least 2 .steps ({}) and a .stop_factor ({}) that is not negative are needed", o.min_lr,
                o.max_lr, o.steps, o.stop_factor)
        .of(verb);
  check_program(verb, o.batch, o.log, o.program);
  check_steps(verb, o.data, o.accumulate, o.batch);
  check_set(verb, "training", train);
}

}  // namespace weft::detail
