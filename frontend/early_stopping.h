#pragma once
// When to stop training, and with which weights.

#include <limits>
#include <vector>

#include "weft/frontend/snapshot.h"

namespace weft {

///   EarlyStopping stopping(net.parameters(), 10);
///   while (!stopping.step(validation_loss())) train();
///   stopping.restore();
class EarlyStopping {
 public:
  /// `patience` is the number of steps in a row without a smaller loss after which to stop, as in PyTorch Lightning; throws
  /// weft::Error unless it is positive.
  EarlyStopping(std::vector<Parameter> parameters, int64_t patience);

  /// To be called with the loss that the weights of this moment give on examples they were not trained on; keeps the
  /// weights when it is the smallest so far (nan never is). True when it is time to stop.
  bool step(double loss);
  /// Brings the best weights back: those of the beginning if no loss was a number.
  void restore() const { best_weights_.restore(); }

  double best() const { return best_; }
  /// The call of step() that gave it, from 1; 0 if there is none.
  int64_t best_step() const { return best_step_; }

 private:
  Snapshot best_weights_;
  int64_t patience_, steps_ = 0, best_step_ = 0;
  double best_ = std::numeric_limits<double>::infinity();
};

}  // namespace weft
