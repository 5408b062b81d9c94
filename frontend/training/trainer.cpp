#include "weft/frontend/training/trainer.h"

#include <set>

#include "weft/frontend/language/scope.h"
#include "weft/frontend/training/check_options.h"
#include "weft/frontend/training/fit.h"
#include "weft/frontend/training/training_log.h"
#include "weft/frontend/training/training_run.h"
#include "weft/runtime/float_mode.h"

namespace weft {
namespace {

/// Files are named after them.
void check_names(const detail::NamedRecipes& all) {
  if (all.empty()) throw Error("there is nothing to train").of("fit_side_by_side");
  std::set<std::string> names;
  for (const auto& [name, recipe] : all) {
    if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos)
      throw Error("'{}' cannot be a model's name, for files are named after it", name).of("fit_side_by_side");
    if (!names.insert(name).second) throw Error("two models are called '{}'", name).of("fit_side_by_side");
  }
}

}  // namespace

History Trainer::fit(const Dataset& train, const Dataset& test, const FitOptions& options) {
  return detail::fit({{"", recipe()}}, train, &test, options).front();
}

History Trainer::fit(const Dataset& train, const FitOptions& options) {
  return detail::fit({{"", recipe()}}, train, nullptr, options).front();
}

Runs fit_side_by_side(const std::vector<std::pair<std::string, Trainer>>& trainers, const Dataset& train, const Dataset& test,
                      const FitOptions& options) {
  detail::NamedRecipes all;
  for (const auto& [name, trainer] : trainers) all.emplace_back(name, trainer.recipe());
  check_names(all);
  const std::vector<History> histories = detail::fit(all, train, &test, options);
  Runs runs;
  for (size_t i = 0; i < all.size(); ++i) runs.emplace_back(all[i].first, histories[i]);
  return runs;
}

Evaluation Trainer::evaluate(const Dataset& data, const EvaluateOptions& options) {
  const FloatMode mode;
  detail::check(options, data);
  const BatchOptions in_order{.batch = options.batch, .workers = options.workers};
  const detail::HowCompiled how{detail::Use::evaluation, options.seed, options.program};
  detail::Programs programs(recipe(), data, in_order, how, detail::compile_notice(options.log));
  programs.any().check_labels(data);
  Batcher batches(data, in_order);
  return detail::evaluate(programs, batches);
}

void Trainer::refuse(const char* what, std::source_location at) { throw Error("{}", what).of("Trainer").at(detail::line_text(at)); }

detail::Recipe Trainer::recipe() const {
  return {model_,
          batch_loss_ ? detail::loss_of_batches(model_, batch_loss_, at_) : detail::loss_of_pairs(model_, pair_loss_, metrics_, at_),
          optimizer_,
          at_,
          schedules_,
          average_,
          callbacks_};
}

Trainer& Trainer::add(const std::string& name, std::function<Metric(const Tensor&, const Tensor&)> metric, std::source_location at) {
  if (batch_loss_)
    throw Error("the trainer's loss is a function of the batch, which knows of no prediction")
        .of("Trainer::metric")
        .at(detail::line_text(at))
        .hint("return the metric with the loss: return {loss, {{\"name\", metric}}}");
  metrics_.emplace_back(name, std::move(metric));
  return *this;
}

Trainer& Trainer::add(std::vector<Callback>& to, Callback callback, std::source_location at) {
  if (!callback) refuse("the callback is a null function", at);
  to.push_back(std::move(callback));
  return *this;
}

Trainer& Trainer::after_step(Callback callback, std::source_location at) { return add(callbacks_.step, std::move(callback), at); }
Trainer& Trainer::after_epoch(Callback callback, std::source_location at) { return add(callbacks_.epoch, std::move(callback), at); }
Trainer& Trainer::after_evaluation(Callback callback, std::source_location at) {
  return add(callbacks_.evaluation, std::move(callback), at);
}

Trainer& Trainer::average(AveragedWeights& average) {
  if (average_) throw Error("Trainer::average: there is an average already");
  average_ = &average;
  return *this;
}

Trainer& Trainer::add(detail::DrivenSchedule schedule) {
  if (schedule.learning_rate->address() != optimizer_.learning_rate().address())
    throw Error("Trainer::schedule: the schedule moves the learning rate of another optimizer than the one that trains");
  if (schedule.watches_test_loss && schedule.every == Every::step)
    throw Error("Trainer::schedule: ReduceLROnPlateau watches the test loss, so that it moves after epochs");
  schedules_.push_back(std::move(schedule));
  return *this;
}

}  // namespace weft
