#pragma once
// The ops of this project, as functions of the tensor language.

#include <weft/weft.h>

namespace acme {

/// x * sigmoid(beta x)
weft::Tensor swish(weft::Arg x, double beta = 1);
/// x / sqrt(mean(x^2) + eps), the mean along the last axis.
weft::Tensor unit(weft::Arg x, double eps = 1e-6);

}  // namespace acme
