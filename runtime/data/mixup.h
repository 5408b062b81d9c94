#pragma once
// Batches whose examples are blends of two: torchvision.transforms.v2.MixUp.

#include <cstdint>

namespace weft {

/// "mixup: Beyond Empirical Risk Minimization" (Zhang et al. 2018). An example of a batch becomes lambda * its own + (1 - lambda) * the
/// one before it (the first: the last), and so do the targets, which from class indices become probabilities f32 [batch, classes], as
/// cross_entropy takes them. lambda is drawn from Beta(alpha, alpha) for each batch.
///
///   train.mixup = Mixup{.alpha = 0.2};
struct Mixup {
  double alpha = 1;
  int64_t classes = 0;  // 0: as many as the data set has class names
};

/// lambda of a batch: a function of these alone. alpha is positive.
double mixup_share(double alpha, uint64_t seed, int64_t epoch, int64_t batch);

}  // namespace weft
