#pragma once
// Negative log-likelihoods of numbers under a distribution. As in loss.h.

#include <string>

#include "weft/frontend/language/loss.h"

namespace weft {

struct PoissonNllOptions {
  bool log_input = true;  // the input is the logarithm of the rate
  bool full = false;      // with Stirling's approximation of log(target!) where the target is above 1
  double eps = 1e-8;      // added to the rate where its logarithm is taken
  std::string reduction = "mean";
};

/// e^input - target input, or input - target log(input + eps); input and target have one shape.
struct PoissonNll {
  Tensor operator()(Arg input, Arg target, PoissonNllOptions options = {}) const;
};
inline constexpr PoissonNll poisson_nll_loss;

struct GaussianNllOptions {
  bool full = false;  // with the constant log(2 pi) / 2
  double eps = 1e-6;  // the least variance; below it no gradient is lost
  std::string reduction = "mean";
};

/// (log(var) + (input - target)^2 / var) / 2. The variance has the input's shape, that without its last axis, or 1 in place of one of its
/// extents. (PyTorch throws where a variance is negative; here it counts as eps.)
struct GaussianNll {
  Tensor operator()(Arg input, Arg target, Arg var, GaussianNllOptions options = {}) const;
};
inline constexpr GaussianNll gaussian_nll_loss;

namespace nn {

using PoissonNLLLoss = Criterion<PoissonNll, PoissonNllOptions>;
using GaussianNLLLoss = Criterion<GaussianNll, GaussianNllOptions>;

}  // namespace nn
}  // namespace weft
