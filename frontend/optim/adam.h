#pragma once
// The torch.optim classes with running moments: Adam, AdamW, Adamax, NAdam, RAdam; and Lion.
//
// Of all of them: numbers are read at every step; a weight decay that is 0 when a training step is recorded is left out,
// and setting it later makes the next step throw weft::Error. Constructors throw weft::Error as torch does: lr, eps and
// weight_decay must not be negative, betas lie in [0, 1). g is the gradient, negated to maximize; t the number of the step,
// from 1; states have torch's names.

#include <utility>

#include "weft/frontend/optim/optimizer.h"

namespace weft::optim {

/// What these classes have in common.
class MomentOptimizer : public Optimizer {
 public:
  Hyper lr, beta1, beta2, eps, weight_decay;

 protected:
  struct Numbers {
    double lr;
    std::pair<double, double> betas;
    double eps, weight_decay;
    bool maximize;
  };
  MomentOptimizer(std::string op, const Numbers& numbers, std::source_location at);
};

struct AdamOptions {
  double lr = 1e-3;
  std::pair<double, double> betas = {0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 0;  // L2 penalty, added to the gradient
  bool amsgrad = false;
  bool maximize = false;
};

/// Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015. With g + weight_decay * p for g:
/// m += (1 - beta1) (g - m); v = beta2 v + (1 - beta2) g^2; p -= lr / (1 - beta1^t) * m / (sqrt(v / (1 - beta2^t)) + eps).
/// amsgrad divides by the largest v so far. States: "exp_avg", "exp_avg_sq", with amsgrad "max_exp_avg_sq".
class Adam : public MomentOptimizer {
 public:
  explicit Adam(AdamOptions options = {}, std::source_location at = std::source_location::current());
};

struct AdamWOptions {
  double lr = 1e-3;
  std::pair<double, double> betas = {0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 1e-2;  // decoupled: p *= 1 - lr * weight_decay
  bool amsgrad = false;
  bool maximize = false;
};

/// Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019: Adam after p *= 1 - lr * weight_decay.
class AdamW : public MomentOptimizer {
 public:
  explicit AdamW(AdamWOptions options = {}, std::source_location at = std::source_location::current());
};

struct AdamaxOptions {
  double lr = 2e-3;
  std::pair<double, double> betas = {0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 0;  // L2 penalty
  bool maximize = false;
};

/// Kingma and Ba 2015, section 7: v = max(beta2 v, |g| + eps); p -= lr / (1 - beta1^t) * m / v. States: "exp_avg", "exp_inf".
class Adamax : public MomentOptimizer {
 public:
  explicit Adamax(AdamaxOptions options = {}, std::source_location at = std::source_location::current());
};

struct NAdamOptions {
  double lr = 2e-3;
  std::pair<double, double> betas = {0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 0;
  double momentum_decay = 4e-3;
  bool decoupled_weight_decay = false;
  bool maximize = false;
};

/// Dozat, "Incorporating Nesterov momentum into Adam", 2016. States: "exp_avg", "exp_avg_sq", "mu_product" (f64[]).
class NAdam : public MomentOptimizer {
 public:
  explicit NAdam(NAdamOptions options = {}, std::source_location at = std::source_location::current());
  Hyper momentum_decay;
};

struct RAdamOptions {
  double lr = 1e-3;
  std::pair<double, double> betas = {0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 0;
  bool decoupled_weight_decay = false;
  bool maximize = false;
};

/// Liu et al., "On the variance of the adaptive learning rate and beyond", ICLR 2020. States: "exp_avg", "exp_avg_sq".
class RAdam : public MomentOptimizer {
 public:
  explicit RAdam(RAdamOptions options = {}, std::source_location at = std::source_location::current());
};

struct LionOptions {
  double lr = 1e-4;
  std::pair<double, double> betas = {0.9, 0.99};
  double weight_decay = 0;  // decoupled
  bool maximize = false;
};

/// Chen et al., "Symbolic discovery of optimization algorithms", NeurIPS 2023, which torch.optim does not have:
/// p *= 1 - lr * weight_decay; p -= lr * sign(beta1 m + (1 - beta1) g); m = beta2 m + (1 - beta2) g. Its rate suits a tenth of Adam's,
/// with ten times the decay. State: "exp_avg".
class Lion : public Optimizer {
 public:
  explicit Lion(LionOptions options = {}, std::source_location at = std::source_location::current());
  Hyper lr, beta1, beta2, weight_decay;
};

}  // namespace weft::optim
