#pragma once
// The training loop.

#include <functional>
#include <limits>
#include <optional>
#include <source_location>
#include <string>
#include <vector>

#include "weft/frontend/language/loss.h"
#include "weft/frontend/nn/sequential.h"
#include "weft/frontend/optim/optimizer.h"
#include "weft/frontend/training/checkpoint.h"
#include "weft/frontend/training/lr_search.h"
#include "weft/frontend/training/options.h"
#include "weft/runtime/data/dataset.h"

namespace weft {

/// After what a Trainer moves a schedule on.
enum class Every { epoch, step };

namespace detail {
struct Recipe;

/// A schedule in a Trainer's hands.
struct DrivenSchedule {
  std::function<void(double test_loss)> step;
  std::function<void(Checkpoint&)> add_to;
  const Hyper* learning_rate;  // that it moves
  Every every;
  bool watches_test_loss;
};
}  // namespace detail

/// A loss is that of all batches at once, the training loss before each update unless MeasureOptions::training_set: what a loss
/// divides by (targets that are not ignored, class weights, a mask's sum) is added up over the batches as what it divides is. A loss
/// that divides by no such sum counts as often as its batch has samples. Accuracies are fractions of the targets that count: of the
/// classes that the loss is given and does not ignore, or, where a loss of yours calls none of the library's for classes, of the
/// targets that are classes along the prediction's axis 1 or last axis; nan where targets are no classes. Test numbers are nan
/// without a test set.
struct EpochResult {
  int64_t epoch = 0;  // from 1
  static constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
  double train_loss = unknown, train_accuracy = unknown;
  double test_loss = unknown, test_accuracy = unknown;
  double step_us = 0;  // median time of one training step
};

/// What a data set gave without training, as EpochResult's test numbers.
struct Evaluation {
  int64_t step = 0;  // after so many training steps
  double loss = 0;
  double accuracy = std::numeric_limits<double>::quiet_NaN();
};

struct History {
  std::vector<EpochResult> epochs;
  std::vector<Evaluation> evaluations = {};  // if asked for: between epochs' ends
  int64_t steps = 0;
  size_t planned_bytes = 0;  // of the largest program's arena
  double compile_ms = 0;     // of all programs
  int64_t best_epoch = 0;    // the one with the smallest test loss, if early stopping was asked for
  std::string profile = {};  // a table, if asked for: see Step::profile_table
  /// If asked for: the Euclidean norm of the loss's gradient by layer ("fc1"), before every step's update.
  std::vector<std::pair<std::string, std::vector<double>>> gradient_norms = {};

  /// Throws weft::Error when there is no epoch: nothing was left to do after the steps that a checkpoint had made.
  const EpochResult& last() const;
  /// Whose weights the model has.
  const EpochResult& kept() const { return best_epoch > 0 ? epochs[static_cast<size_t>(best_epoch) - 1] : last(); }
};

/// What was trained, by name. The name may be empty where there is one.
using Runs = std::vector<std::pair<std::string, History>>;

/// Trainer(net, cross_entropy, adam).fit(train, test, {.epochs = 5, .batch = 64});
class Trainer {
 public:
  /// `model` is a module, or any function Tensor -> Tensor, which trains every parameter that it uses. `loss` maps
  /// (prediction, target) to a scalar: cross_entropy, mse_loss or a function of yours.
  template <class Model, class Loss>
  Trainer(Model model, Loss loss, const optim::Optimizer& optimizer, std::source_location at = std::source_location::current())
      : model_(any(std::move(model), at)), optimizer_(optimizer), at_(at) {
    if (is_null(loss)) refuse("the loss is a null function", at);
    // A function of the library takes this line along in its Arg; a user's reports its own lines.
    if constexpr (std::is_invocable_v<Loss&, Arg, Arg>)
      loss_ = [loss, at](const Tensor& p, const Tensor& y) mutable { return Tensor(loss(Arg(p, at), Arg(y, at))); };
    else loss_ = [loss](const Tensor& p, const Tensor& y) mutable { return Tensor(loss(p, y)); };
  }

  // Moving copies, so that there is no trainer of nothing.
  Trainer(const Trainer&) = default;

  /// Moves a schedule of the optimizer's on after every epoch, or after every training step; a ReduceLROnPlateau after every epoch
  /// by the test loss. Checkpoints keep its progress. It must outlive the trainer and its copies. Throws weft::Error when it moves
  /// another optimizer's rate.
  ///
  ///   optim::CosineAnnealingLR cosine(adam, {.t_max = 10});
  ///   Trainer(net, cross_entropy, adam).schedule(cosine).fit(train, test, {.epochs = 10});
  template <class Schedule>
  Trainer& schedule(Schedule& schedule, Every every = Every::epoch) {
    constexpr bool watches = requires { schedule.step(0.0); };
    const auto step = [&schedule]([[maybe_unused]] double test_loss) {
      if constexpr (watches) schedule.step(test_loss);
      else schedule.step();
    };
    return add({step, [&schedule](Checkpoint& checkpoint) { checkpoint.add(schedule); }, &schedule.learning_rate(), every, watches});
  }

  /// Keeps an average of the weights: updated after every training step, on the test set evaluated in place of the weights (a
  /// checkpoint with the smallest test loss, and early stopping, go by that), and saved with checkpoints. The model keeps its weights:
  /// average.swap() after fit() gives it the averages; where .stop.patience is given, it has the averages of the smallest test loss. The
  /// average must outlive the trainer and its copies. Throws weft::Error for a second one.
  ///
  ///   AveragedWeights average(net.parameters(), {.decay = 0.999});
  ///   Trainer(net, cross_entropy, adam).average(average).fit(train, test, {.epochs = 10});
  Trainer& average(AveragedWeights& average);

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

  /// The loss and the accuracy on a data set in eval mode. Throws as fit does.
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

  nn::AnyModule model_;
  std::function<Tensor(const Tensor&, const Tensor&)> loss_;
  optim::Optimizer optimizer_;
  std::source_location at_;
  std::vector<detail::DrivenSchedule> schedules_;
  AveragedWeights* average_ = nullptr;
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
