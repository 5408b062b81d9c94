#pragma once
// The training loop.

#include <functional>
#include <optional>
#include <source_location>
#include <string>
#include <vector>

#include "weft/frontend/language/loss.h"
#include "weft/frontend/training/history.h"
#include "weft/frontend/training/lr_search.h"
#include "weft/frontend/training/metrics.h"
#include "weft/frontend/training/options.h"
#include "weft/frontend/training/recipe.h"
#include "weft/runtime/data/dataset.h"

namespace weft {

/// Trainer(net, cross_entropy, adam).fit(train, test, {.epochs = 5, .batch = 64});
class Trainer {
 public:
  /// `model` is a module, or any function Tensor -> Tensor, which trains every parameter that it uses. `loss` maps
  /// (prediction, target) to a scalar: cross_entropy, mse_loss or a function of yours.
  ///
  /// Where a prediction for "x" and a target "y" are not all that there is (several inputs, masks, weights of the samples), the loss is
  /// a function of the batch, whose tensors have the names of the data set's arrays (Dataset::arrays). It calls the model as it likes,
  /// and gives the loss, or with it what is to be measured:
  ///
  ///   Trainer trainer(net, [&](const Tensors& batch) -> Measured {
  ///     const Tensor logits = net(batch["tokens"], batch["mask"]);
  ///     const Tensor each = cross_entropy(logits, batch["y"], {.reduction = "none"});
  ///     return {sum(each * batch["weight"]) / sum(batch["weight"]), {{"f1", metrics::f1_score(logits, batch["y"])}}};
  ///   }, adam);
  template <class Model, class Loss>
  Trainer(Model model, Loss loss, const optim::Optimizer& optimizer, std::source_location at = std::source_location::current())
      : model_(any(std::move(model), at)), optimizer_(optimizer), at_(at) {
    constexpr bool of_args = std::is_invocable_v<Loss&, Arg, Arg>, of_pairs = std::is_invocable_v<Loss&, const Tensor&, const Tensor&>;
    static_assert(of_args || of_pairs || std::is_invocable_v<Loss&, const Tensors&>,
                  "the loss is a function of (prediction, target), or of a batch: Tensor loss(const Tensors& batch)");
    if (is_null(loss)) refuse("the loss is a null function", at);
    // A function of the library takes this line along in its Arg; a user's reports its own lines.
    if constexpr (of_args)
      pair_loss_ = [loss, at](const Tensor& p, const Tensor& y) mutable { return Tensor(loss(Arg(p, at), Arg(y, at))); };
    else if constexpr (of_pairs) pair_loss_ = [loss](const Tensor& p, const Tensor& y) mutable { return Tensor(loss(p, y)); };
    else batch_loss_ = [loss](const Tensors& batch) mutable { return Measured(loss(batch)); };
  }

  /// Measures something of every prediction and its target, in training and in evaluation: History, the lines of JSON and the progress
  /// have it under this name.
  ///
  ///   trainer.metric("top 5", [](Tensor p, Tensor y) { return metrics::top_k_accuracy(p, y, 5); }).metric("error", l1_loss);
  ///
  /// `metric` maps (prediction, target) to a Metric, or to a tensor, whose mean it is. It is called while programs are recorded. One
  /// that is called "accuracy" stands in the place of the Trainer's own. Throws weft::Error for an empty name, a null function and a
  /// Trainer with a function of batches, which gives its metrics with the loss.
  template <class F>
  Trainer& metric(const std::string& name, F metric, std::source_location at = std::source_location::current()) {
    if (is_null(metric)) refuse("the metric is a null function", at);
    if constexpr (std::is_invocable_v<F&, Arg, Arg>)
      return add(name, [metric, at](const Tensor& p, const Tensor& y) mutable { return Metric(metric(Arg(p, at), Arg(y, at))); }, at);
    else return add(name, [metric](const Tensor& p, const Tensor& y) mutable { return Metric(metric(p, y)); }, at);
  }

  // Moving copies, so that there is no trainer of nothing.
  Trainer(const Trainer&) = default;

  /// Moves a schedule of the optimizer's on after every epoch, or after every training step: as `every` says, else as the schedule
  /// counts (Schedule::every(): a warm-up, OneCycleLR and CyclicLR in steps, the others in epochs); a ReduceLROnPlateau after every epoch
  /// by the test loss. Checkpoints keep its progress. It must outlive the trainer and its copies. Throws weft::Error when it moves
  /// another optimizer's rate.
  ///
  ///   optim::CosineAnnealingLR cosine(adam, {.t_max = 10});
  ///   Trainer(net, cross_entropy, adam).schedule(cosine).fit(train, test, {.epochs = 10});
  template <class Schedule>
  Trainer& schedule(Schedule& schedule, std::optional<Every> every = {}) {
    constexpr bool watches = requires { schedule.step(0.0); };
    Every own = Every::epoch;
    if constexpr (requires { schedule.every(); }) own = schedule.every();
    const auto step = [&schedule]([[maybe_unused]] double test_loss) {
      if constexpr (watches) schedule.step(test_loss);
      else schedule.step();
    };
    return add(
        {step, [&schedule](Checkpoint& checkpoint) { checkpoint.add(schedule); }, &schedule.learning_rate(), every.value_or(own), watches});
  }

  /// Keeps an average of the weights: updated after every training step, on the test set evaluated in place of the weights (a
  /// checkpoint with the smallest test loss, and early stopping, go by that), and saved with checkpoints. The model keeps its weights:
  /// average.swap() after fit() gives it the averages; where .stop.patience is given, it has the averages of the smallest test loss. The
  /// average must outlive the trainer and its copies. Throws weft::Error for a second one.
  ///
  ///   AveragedWeights average(net.parameters(), {.decay = 0.999});
  ///   Trainer(net, cross_entropy, adam).average(average).fit(train, test, {.epochs = 10});
  Trainer& average(AveragedWeights& average);

  /// Calls a function of yours after every training step; after every epoch, with its numbers in the history and before its checkpoint
  /// is written; after every evaluation of the test set, at epochs' ends and between (MeasureOptions::test_every). Schedules have moved
  /// before. It may stop the training, log, and set hyper-parameters: see callback.h. Several are called in the order in which they
  /// came. Throw weft::Error for a null function.
  Trainer& after_step(Callback callback, std::source_location at = std::source_location::current());
  Trainer& after_epoch(Callback callback, std::source_location at = std::source_location::current());
  Trainer& after_evaluation(Callback callback, std::source_location at = std::source_location::current());

  /// Compiles, then trains in training mode; after each epoch evaluates in eval mode. So do all modules that a function calls;
  /// their own modes do not count and do not change. Every call begins with the order of epoch 0, and compiles again.
  ///
  /// Throws weft::Error when an option or a data set is not as it must be (naming the sample whose label is no class of the
  /// model), when a file cannot be written, when the program does not compile, and when the training loss is not finite,
  /// naming the step and the loss's line. A checkpoint to resume from throws as Checkpoint::load does, and when its data or
  /// options (batch, order, seed) are others.
  History fit(const Dataset& train, const Dataset& test, const FitOptions& options = {});
  /// Without a test set.
  History fit(const Dataset& train, const FitOptions& options = {});

  /// The loss and the metrics on a data set in eval mode. Throws as fit does.
  Evaluation evaluate(const Dataset& data, const EvaluateOptions& options = {});

  /// Tries learning rates on batches of `train`, and leaves everything as it was: see lr_search.h. Throws as fit does.
  LrSearch find_lr(const Dataset& train, const LrSearchOptions& options = {});

 private:
  friend Runs fit_side_by_side(const std::vector<std::pair<std::string, Trainer>>& trainers, const Dataset& train, const Dataset& test,
                               const FitOptions& options);
  template <class Model>
  static nn::AnyModule any(Model model, std::source_location at) {
    if (is_null(model)) refuse("the model is a null function or pointer", at);
    return nn::AnyModule(std::move(model));
  }
  [[noreturn]] static void refuse(const char* what, std::source_location at);
  detail::Recipe recipe() const;
  Trainer& add(detail::DrivenSchedule schedule);
  Trainer& add(std::vector<Callback>& to, Callback callback, std::source_location at);
  Trainer& add(const std::string& name, std::function<Metric(const Tensor&, const Tensor&)> metric, std::source_location at);

  nn::AnyModule model_;
  detail::PairLoss pair_loss_;  // one of the two
  detail::BatchLoss batch_loss_;
  detail::PairMetrics metrics_;
  optim::Optimizer optimizer_;
  std::source_location at_;
  std::vector<detail::DrivenSchedule> schedules_;
  AveragedWeights* average_ = nullptr;
  detail::Callbacks callbacks_;
};

/// Trains several models by name, each batch going to one after the other, so that all see the same in the same order; models
/// that share parameters train them in turns. Each stops by itself when its patience ends.
///
///   fit_side_by_side({{"plain", Trainer(a, cross_entropy, adam)}, {"dropout", Trainer(b, cross_entropy, other)}}, train, test)
///
/// The options are all models', but .checkpoints.path, .checkpoints.resume, .files.loss_curve, .files.tensorboard and
/// .program.dump_ir are folders, in which each has its own: "plain.safetensors", "plain.csv", "plain/". A line of metrics has the name as "net". From checkpoints of different
/// steps, those that are behind catch up. Throws as Trainer::fit does; for a name that is no file's or another model's; and
/// when models that share a parameter have .stop.patience, or resume from different steps.
Runs fit_side_by_side(const std::vector<std::pair<std::string, Trainer>>& trainers, const Dataset& train, const Dataset& test,
                      const FitOptions& options = {});

}  // namespace weft
