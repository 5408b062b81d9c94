#pragma once
// The torch.optim classes that follow the gradient or its sign: SGD, ASGD, Rprop; and LARS.

#include <utility>

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

struct AsgdOptions {
  double lr = 1e-2;
  double lambd = 1e-4;      // decay of the parameter and of the rate
  double alpha = 0.75;      // power of the rate's decay
  double t0 = 1e6;          // the step at which averaging starts
  double weight_decay = 0;  // L2 penalty
  bool maximize = false;
};

/// Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992: p = (1 - lambd * eta) p - eta * g,
/// then eta = lr / (1 + lambd * lr * t)^alpha for the next step. States: "eta" (f64[]), "ax" (the averaged parameter).
class ASGD : public Optimizer {
 public:
  /// Throws weft::Error as torch does: lr, lambd, alpha and weight_decay must not be negative.
  explicit ASGD(AsgdOptions options = {}, std::source_location at = std::source_location::current());

  Hyper lr, lambd, alpha, t0, weight_decay;
};

struct RpropOptions {
  double lr = 1e-2;                                   // the first step's size
  std::pair<double, double> etas = {0.5, 1.2};        // factors where the gradient's sign turns, and where it does not
  std::pair<double, double> step_sizes = {1e-6, 50};  // smallest and largest
  bool maximize = false;
};

/// Riedmiller and Braun, "RPROP", 1993. States: "prev", "step_size".
class Rprop : public Optimizer {
 public:
  /// Throws weft::Error as torch does: lr must not be negative, 0 < etas.first < 1 < etas.second; and unless
  /// 0 <= step_sizes.first <= step_sizes.second.
  explicit Rprop(RpropOptions options = {}, std::source_location at = std::source_location::current());

  Hyper lr, etaminus, etaplus, step_size_min, step_size_max;
};

struct LarsOptions {
  double lr = 1e-3;
  double momentum = 0.9;
  double weight_decay = 0;  // L2 penalty
  double trust_coefficient = 1e-3;
  double eps = 1e-8;  // added to the norm that is divided by
  bool nesterov = false;
  bool maximize = false;
};

/// You, Gitman and Ginsburg, "Large batch training of convolutional networks", 2017, which torch.optim does not have: SGD whose rate is,
/// for each parameter, times trust_coefficient |p| / (|g| + weight_decay |p| + eps), with the norms of the whole parameter and of its
/// gradient before the decay; times 1 where one of these norms is 0. v = momentum v + lr * rate * (g + weight_decay p); p -= v, or with
/// nesterov p -= momentum v + lr * rate * (g + weight_decay p). Biases and weights of norms are often left to a group with plain SGD.
/// State: "momentum_buffer".
class LARS : public Optimizer {
 public:
  /// Throws weft::Error when lr, momentum, weight_decay, trust_coefficient or eps is negative, and for nesterov without momentum.
  explicit LARS(LarsOptions options = {}, std::source_location at = std::source_location::current());

  Hyper lr, momentum, weight_decay, trust_coefficient, eps;
};

}  // namespace weft::optim
