#pragma once
// The torch.optim classes that divide by the size of past gradients: Adagrad, Adadelta, RMSprop, Adafactor.
//
// Of all of them: numbers are read at every step; a weight decay or momentum that is 0 when a training step is recorded is
// left out, and setting it later makes the next step throw weft::Error. Constructors throw weft::Error as torch does. g is
// the gradient, negated to maximize, plus weight_decay * p where the decay is an L2 penalty; states have torch's names.

#include "weft/frontend/optim/optimizer.h"

namespace weft::optim {

struct AdagradOptions {
  double lr = 1e-2;
  double lr_decay = 0;
  double weight_decay = 0;  // L2 penalty
  double initial_accumulator_value = 0;
  double eps = 1e-10;
  bool maximize = false;
};

/// Duchi et al., "Adaptive subgradient methods", JMLR 2011: s += g^2; p -= lr / (1 + (t - 1) lr_decay) * g / (sqrt(s) + eps).
/// State: "sum".
class Adagrad : public Optimizer {
 public:
  explicit Adagrad(AdagradOptions options = {}, std::source_location at = std::source_location::current());
  Hyper lr, lr_decay, weight_decay, initial_accumulator_value, eps;
};

struct AdadeltaOptions {
  double lr = 1;
  double rho = 0.9;
  double eps = 1e-6;
  double weight_decay = 0;  // L2 penalty
  bool maximize = false;
};

/// Zeiler, "ADADELTA", 2012: d = sqrt(a + eps) / sqrt(v + eps) * g; p -= lr * d, with v and a the running means of g^2 and d^2.
/// States: "square_avg", "acc_delta".
class Adadelta : public Optimizer {
 public:
  explicit Adadelta(AdadeltaOptions options = {}, std::source_location at = std::source_location::current());
  Hyper lr, rho, eps, weight_decay;
};

struct RmsPropOptions {
  double lr = 1e-2;
  double alpha = 0.99;
  double eps = 1e-8;
  double weight_decay = 0;  // L2 penalty
  double momentum = 0;
  bool centered = false;
  bool maximize = false;
};

/// Hinton 2012: v = alpha v + (1 - alpha) g^2; p -= lr * g / (sqrt(v) + eps); centered: v less the square of the running mean
/// of g (Graves 2013). States: "square_avg", "grad_avg" when centered, "momentum_buffer" with momentum.
class RMSprop : public Optimizer {
 public:
  explicit RMSprop(RmsPropOptions options = {}, std::source_location at = std::source_location::current());
  Hyper lr, alpha, eps, weight_decay, momentum;
};

struct AdafactorOptions {
  double lr = 1e-2;
  double beta2_decay = -0.8;
  double eps2 = 1e-3;  // torch's eps[1]; eps[0] is the epsilon of the parameter's element type, torch's default
  double d = 1;
  double weight_decay = 0;  // decoupled
  bool maximize = false;
};

/// Shazeer and Stern, "Adafactor", ICML 2018, as torch.optim.Adafactor. States: of a matrix "row_var" and "col_var", of a
/// vector "variance".
class Adafactor : public Optimizer {
 public:
  explicit Adafactor(AdafactorOptions options = {}, std::source_location at = std::source_location::current());
  Hyper lr, beta2_decay, eps2, d, weight_decay;
};

}  // namespace weft::optim
