#include "weft/runtime/data/mixup.h"

#include <cmath>
#include <numbers>

#include "weft/runtime/data/transform.h"

namespace weft {
namespace {

double positive(Draw& draw) { return 1 - draw.uniform(); }

double normal(Draw& draw) {
  const double radius = std::sqrt(-2 * std::log(positive(draw)));
  return radius * std::cos(2 * std::numbers::pi * draw.uniform());
}

/// The logarithm of a number from Gamma(shape, 1), which itself may be too small: Marsaglia and Tsang, "A simple method for generating
/// gamma variables" (2000).
double log_gamma_number(double shape, Draw& draw) {
  if (shape < 1) {
    const double log_power = std::log(positive(draw)) / shape;
    return log_gamma_number(shape + 1, draw) + log_power;
  }
  const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = normal(draw), root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    if (std::log(positive(draw)) < 0.5 * x * x + d - d * v + d * std::log(v)) return std::log(d * v);
  }
}

}  // namespace

double mixup_share(double alpha, uint64_t seed, int64_t epoch, int64_t batch) {
  Draw draw(seed, epoch, batch, detail::mixup_draws);
  const double one = log_gamma_number(alpha, draw), other = log_gamma_number(alpha, draw);
  return 1 / (1 + std::exp(other - one));
}

}  // namespace weft
