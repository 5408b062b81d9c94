#pragma once
// Averages of weights over training, as torch.optim.swa_utils.AveragedModel keeps them.
//
//   AveragedWeights average(net.parameters(), {.decay = 0.999});
//   for (...) { step(...); average.update(); }
//   average.swap();       // the model has the averages now: evaluate, save; and back again
//   ...
//   average.swap();
//
// Trainer::average does so at every step and evaluates with the averages; Checkpoint::add keeps them.

#include <optional>
#include <source_location>
#include <vector>

#include "weft/frontend/language/hyper.h"
#include "weft/frontend/language/parameter.h"
#include "weft/frontend/program/step.h"
#include "weft/frontend/program/target.h"

namespace weft {

struct AverageOptions {
  /// Exponential moving average (get_ema_multi_avg_fn): a = decay a + (1 - decay) p. Unset: the mean of all so far, stochastic
  /// weight averaging (Izmailov et al. 2018; get_swa_multi_avg_fn).
  std::optional<double> decay = {};
  Target target = Target::cpu();
};

/// Buffers, such as batch norm's running statistics, are no weights: they stay the model's, as with AveragedModel's
/// use_buffers=False; to have them fit the averages, go through the training data in training mode after swap().
class AveragedWeights {
 public:
  /// Compiles the program that update() runs. Throws weft::Error for no parameters, one given twice, or a decay outside of
  /// [0, 1].
  explicit AveragedWeights(std::vector<Parameter> parameters, AverageOptions options = {},
                           std::source_location at = std::source_location::current());

  /// Takes the weights as they are now into the average; the first time they are the average.
  void update();
  /// Updates so far.
  int64_t count() const { return count_; }
  /// Whether the model has the averages now.
  bool is_swapped() const { return swapped_; }
  const std::vector<Parameter>& parameters() const { return parameters_; }
  /// The averages, in the order of the parameters.
  const std::vector<Parameter>& averages() const { return averages_; }
  /// Exchanges weights and averages. Throws weft::Error before the first update(), and update() throws while exchanged.
  void swap();

  /// What a checkpoint keeps of it beside the averages (Checkpoint::add), and how it goes on from there.
  std::vector<double> progress() const { return {static_cast<double>(count_), swapped_ ? 1.0 : 0.0, decay}; }
  void restore(const std::vector<double>& progress);

  /// Read at every update; of stochastic weight averaging without effect.
  Hyper decay;

 private:
  Step compile_update(const Target& target);

  bool exponential_;
  std::vector<Parameter> parameters_, averages_;
  Hyper weight_;
  Step update_;
  int64_t count_ = 0;
  bool swapped_ = false;
};

}  // namespace weft
