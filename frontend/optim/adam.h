#pragma once
// torch.optim.Adam (Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015).

#include <utility>

#include "weft/frontend/optim/optimizer.h"

namespace weft::optim {

struct AdamOptions {
  double lr = 1e-3;
  std::pair<double, double> betas = {0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 0;  // L2 penalty, added to the gradient
  bool amsgrad = false;
  bool maximize = false;
};

/// With g the gradient (negated to maximize) plus weight_decay * p and t the number of the step, from 1:
/// m += (1 - beta1) (g - m); v = beta2 v + (1 - beta2) g^2; p -= lr / (1 - beta1^t) * m / (sqrt(v / (1 - beta2^t)) + eps).
/// amsgrad divides by the largest v so far.
///
/// The numbers are read at every step. A weight decay that is 0 when a training step is recorded is left out; setting it
/// later makes the next step throw weft::Error. States: "exp_avg", "exp_avg_sq", with amsgrad "max_exp_avg_sq".
class Adam : public Optimizer {
 public:
  /// Throws weft::Error as torch does: lr, eps and weight_decay must not be negative, betas lie in [0, 1).
  explicit Adam(AdamOptions options = {}, std::source_location at = std::source_location::current());

  Hyper lr, beta1, beta2, eps, weight_decay;
};

}  // namespace weft::optim
