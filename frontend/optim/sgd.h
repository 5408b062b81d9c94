#pragma once
// torch.optim.SGD.

#include "weft/frontend/optim/optimizer.h"

namespace weft::optim {

struct SgdOptions {
  double lr = 1e-3;
  double momentum = 0;
  double dampening = 0;
  double weight_decay = 0;  // L2 penalty
  bool nesterov = false;
  bool maximize = false;
};

/// With g the gradient (negated to maximize) plus weight_decay * p:
/// b = momentum * b + (1 - dampening) * g, at the first step b = g; p -= lr * b, or with nesterov lr * (g + momentum * b).
///
/// The numbers are read at every step. Momentum and weight decay that are 0 when a training step is recorded are left
/// out; setting them later makes the next step throw weft::Error. State: "momentum_buffer".
class SGD : public Optimizer {
 public:
  /// Throws weft::Error as torch does: lr, momentum and weight_decay must not be negative; nesterov needs momentum and no
  /// dampening.
  explicit SGD(SgdOptions options = {}, std::source_location at = std::source_location::current());

  Hyper lr, momentum, dampening, weight_decay;
};

}  // namespace weft::optim
