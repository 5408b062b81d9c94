#pragma once
// Dropout whose rate stays a run-time number: what nn::Dropout records.

#include "weft/frontend/language/hyper.h"
#include "weft/frontend/language/tensor.h"

namespace weft::detail {

/// When p is 0 now, dropout is off for good: x itself, and a step whose p is no longer 0 throws.
Tensor dropout_at_rate(const Arg& x, const Hyper& p);

}  // namespace weft::detail
