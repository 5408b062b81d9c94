#pragma once
// The conversions of single elements, as PyTorch has them (support/dtype.h).

#include <cstdint>

#include "weft/support/dtype.h"

namespace weft {

/// `value` as an element of a floating type holds it.
double rounded(DType dtype, double value);
/// `value` modulo 2^width, as an element of an integer type or of bool (its lowest bit).
int64_t wrapped(DType dtype, int64_t value);
/// Truncated towards zero; beyond the type its nearest extreme, and 0 for nan. To bool: whether `value` is not 0.
int64_t truncated(DType dtype, double value);

}  // namespace weft
