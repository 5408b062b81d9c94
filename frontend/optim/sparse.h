#pragma once
// torch.optim.SparseAdam: of tables that a step reads a few rows of.

#include <utility>

#include "weft/frontend/optim/optimizer.h"

namespace weft::optim {

struct SparseAdamOptions {
  double lr = 1e-3;
  std::pair<double, double> betas = {0.9, 0.999};
  double eps = 1e-8;
  bool maximize = false;
};

/// Adam (optim/adam.h) of those rows that have a gradient in a step; all others, and their moments, stay as they are. The time of
/// its update grows with the rows that a batch reads, not with the table. It trains parameters whose gradient is row-sparse, that is
/// tables of nn::Embedding with `.sparse = true`, used for nothing but lookups; for any other, training_step throws weft::Error that
/// names what makes the gradient dense. p -= lr sqrt(1 - beta2^t) / (1 - beta1^t) * m / (sqrt(v) + eps). States: "exp_avg",
/// "exp_avg_sq". Constructors throw weft::Error unless lr and eps are positive and the betas lie in [0, 1).
class SparseAdam : public Optimizer {
 public:
  explicit SparseAdam(SparseAdamOptions options = {}, std::source_location at = std::source_location::current());
  Hyper lr, beta1, beta2, eps;
};

}  // namespace weft::optim
