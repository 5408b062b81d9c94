#pragma once
// Functions of yours that a Trainer calls while it trains.
//
//   trainer.after_epoch([&](TrainingState& training) {
//     if (training.history().last().test_loss < 0.1) training.stop();
//     adam.lr = adam.lr * 0.5;                                       // the next step uses it, nothing recompiles
//   });

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "weft/frontend/language/hyper.h"
#include "weft/frontend/training/history.h"

namespace weft {

/// A training as it stands, for as long as a callback runs.
class TrainingState {
 public:
  /// What it is made of, by the Trainer.
  struct Moment {
    const std::string& name;
    const History& history;
    int64_t epoch;
    double loss;
    const Evaluation* evaluation;
    std::function<NamedNumbers()> measured;
    Hyper learning_rate;
    std::function<void(const std::string&)> log;
  };
  explicit TrainingState(Moment now) : now_(std::move(now)) {}

  /// The model's, of fit_side_by_side; empty elsewhere.
  const std::string& name() const { return now_.name; }
  /// Of the training, steps of what it resumed from included.
  int64_t step() const { return now_.history.steps; }
  /// The one that runs, or has just ended, from 1.
  int64_t epoch() const { return now_.epoch; }
  /// Of the last step's batch, before its update.
  double loss() const { return now_.loss; }
  /// What is measured beside it (Trainer::metric, Measured), of the last step's batch alone: now.measured()["kl"]. Nothing before the
  /// first step.
  NamedNumbers measured() const { return now_.measured(); }
  /// What is known so far: after an epoch, history().last() is that epoch's.
  const History& history() const { return now_.history; }
  /// What the test set gave. Throws weft::Error but after an evaluation.
  const Evaluation& evaluation() const;

  /// The optimizer's: reads and sets it.
  Hyper& learning_rate() { return now_.learning_rate; }
  /// Ends the training behind this step or epoch, as StopOptions::max_steps does: checkpoints are written, and fit() returns.
  void stop() { stopped_ = true; }
  bool is_stopped() const { return stopped_; }
  /// A line of its own beside the progress; nothing where FitOptions::log is "none".
  void log(const std::string& text) const { now_.log(text); }

 private:
  Moment now_;
  bool stopped_ = false;
};

using Callback = std::function<void(TrainingState&)>;

namespace detail {

/// When what is called, in the order in which it came.
struct Callbacks {
  std::vector<Callback> step, epoch, evaluation;
};

}  // namespace detail
}  // namespace weft
