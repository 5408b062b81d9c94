#pragma once
// When to stop training, and with which weights.

#include <limits>
#include <vector>

#include "weft/frontend/training/snapshot.h"

namespace weft {

///   EarlyStopping stopping(net, 10);
///   while (!stopping.step(validation_loss())) train();
///   stopping.restore();
class EarlyStopping {
 public:
  /// `patience` is the number of steps in a row without a smaller loss after which to stop, as in PyTorch Lightning; throws
  /// weft::Error unless it is positive. Of a model the weights are its parameters and buffers, such as batch norm's running
  /// statistics.
  EarlyStopping(const nn::Module& model, int64_t patience);
  EarlyStopping(std::vector<Parameter> parameters, int64_t patience);

  /// To be called with the loss that the weights of this moment give on examples they were not trained on; keeps the
  /// weights when it is the smallest so far (nan never is). True when it is time to stop.
  bool step(double loss);
  /// What the last step() said.
  bool is_over() const { return steps_ - best_step_ >= patience_; }
  /// Brings the best weights back: those of the beginning if no loss was a number.
  void restore() const { best_weights_.restore(); }

  double best() const { return best_; }
  /// The call of step() that gave it, from 1; 0 if there is none.
  int64_t best_step() const { return best_step_; }

  /// What a checkpoint keeps of it: the best weights, in the order of the parameters, and numbers.
  const std::vector<Parameter>& parameters() const { return best_weights_.parameters(); }
  std::vector<Array>& best_weights() { return best_weights_.values(); }
  std::vector<double> progress() const { return {best_, static_cast<double>(best_step_), static_cast<double>(steps_)}; }
  void restore(const std::vector<double>& progress);

 private:
  Snapshot best_weights_;
  int64_t patience_, steps_ = 0, best_step_ = 0;
  double best_ = std::numeric_limits<double>::infinity();
};

}  // namespace weft
