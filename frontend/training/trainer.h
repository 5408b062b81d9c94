#pragma once
// The training loop.

#include <functional>
#include <limits>
#include <optional>
#include <source_location>
#include <string>
#include <vector>

#include "weft/frontend/language/defaults.h"
#include "weft/frontend/language/loss.h"
#include "weft/frontend/nn/sequential.h"
#include "weft/frontend/optim/optimizer.h"
#include "weft/frontend/program/target.h"
#include "weft/frontend/training/checkpoint.h"
#include "weft/frontend/training/lr_search.h"
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

struct FitOptions {
  int64_t epochs = 1;
  int64_t batch = 64;              // the last batch of an epoch may be smaller; both sizes are compiled ahead
  bool drop_last = false;          // leave a smaller last batch out of training
  bool shuffle = false;            // a new order each epoch, a function of (seed, epoch)
  uint64_t seed = current_seed();  // of the order, of random transforms and of dropout
  int workers = 1;                 // threads that load batches; their number changes no bit
  int64_t max_steps = 0;           // stop after so many steps in all; 0: no limit
  bool evaluate_train = false;     // an epoch's training numbers are measured on the training set after it, as the test numbers
                                   // are; otherwise they are those of its batches
  int64_t eval_every = 0;          // also evaluate on the test set after every so many steps: History::evaluations. 0: never
  int64_t overfit = 0;             // train on the first so many examples only: can the model learn them by heart? 0: on all
  int64_t patience = 0;            // stop after so many epochs in a row without a smaller test loss; the model then has the
                                   // weights of the smallest. 0: never
  int64_t accumulate = 1;          // compute the gradient of a batch in so many parts, one after the other: see micro_batches.h
  std::string checkpoint = {};     // a safetensors file for all that training needs to go on, written after every epoch and at
                                   // the end (see checkpoint.h)
  int64_t checkpoint_every = 0;    // and after every so many steps; 0: not
  int64_t keep_last = 0;           // keep the last so many besides: "run.step-200.safetensors" for "run.safetensors"; what an earlier
                                   // run left under such names goes first. 0: none
  bool keep_best = false;          // keep the one with the smallest test loss besides: "run.best.safetensors"
  std::string resume = {};         // go on from this checkpoint, bit for bit as if training had not stopped. epochs and
                                   // max_steps count from the first beginning; the optimizer's numbers come from the file
  bool gradient_norms = false;     // measure them at every step: History::gradient_norms
  std::string metrics = {};        // a file that gets one line of JSON per epoch
  std::string loss_curve = {};     // a file that gets "step,loss" for every training step (CSV)
  std::string tensorboard = {};    // a folder that gets an event file: losses and accuracies over training steps
  std::string dump_ir = {};        // see CompileOptions
  bool profile = false;            // measure where the training step's time goes: History::profile
  int threads = 0;                 // 0: the target's
  std::string log = "bar";         // "bar" or "plain" on stderr: what compiles, the means of the epoch so far (bar), a line for every
                                   // epoch. "classic", as PyTorch's quickstart prints, or a line of an epoch's losses and accuracies
                                   // for each of several models. "none"
  Target target = Target::cpu();
};

/// A loss is that of all batches at once, the training loss before each update unless FitOptions::evaluate_train: what a loss
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
      : model_(shared(std::move(model), at)), optimizer_(optimizer), at_(at) {
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
  /// average.swap() after fit() gives it the averages; where .patience is given, it has the averages of the smallest test loss. The
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

  /// The loss and the accuracy on a data set in eval mode. Of the options, those about batches and the target count; throws as
  /// fit does.
  Evaluation evaluate(const Dataset& data, const FitOptions& options = {});

  /// Tries learning rates on batches of `train`, and leaves everything as it was: see lr_search.h. Of the options, those
  /// about data, batches and the target count.
  LrSearch find_lr(const Dataset& train, const FitOptions& options = {}, const LrSearchOptions& search = {});

 private:
  friend Runs fit_side_by_side(const std::vector<std::pair<std::string, Trainer>>& trainers, const Dataset& train, const Dataset& test,
                               const FitOptions& options);
  template <class Model>
  static std::shared_ptr<nn::Module> shared(Model model, std::source_location at) {
    if (is_null(model)) refuse("the model is a null function or pointer", at);
    return nn::share(std::move(model));
  }
  [[noreturn]] static void refuse(const char* what, std::source_location at);
  detail::Recipe recipe() const;
  Trainer& add(detail::DrivenSchedule schedule);

  std::shared_ptr<nn::Module> model_;
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
/// The options are all models', but .checkpoint, .resume, .loss_curve, .tensorboard and .dump_ir are folders, in which each has
/// its own: "plain.safetensors", "plain.csv", "plain/". A line of metrics has the name as "net". From checkpoints of different
/// steps, those that are behind catch up. Throws as Trainer::fit does; for a name that is no file's or another model's; and
/// when models that share a parameter have .patience, or resume from different steps.
Runs fit_side_by_side(const std::vector<std::pair<std::string, Trainer>>& trainers, const Dataset& train, const Dataset& test,
                      const FitOptions& options = {});

}  // namespace weft
