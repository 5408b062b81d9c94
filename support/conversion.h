#pragma once
// The conversions of single elements, as PyTorch has them (support/dtype.h).

#include <cstdint>
#include <utility>

#include "weft/support/dtype.h"

namespace weft {

/// `value` as an element of a floating type holds it.
double rounded(DType dtype, double value);
/// `value` modulo 2^width, as an element of an integer type or of bool (its lowest bit).
int64_t wrapped(DType dtype, int64_t value);
/// Truncated towards zero. Beyond i64 and i32 it is their nearest extreme, and 0 for nan; the smaller types and u32 take it modulo
/// 2^width, and 0 for infinities and nan. PyTorch leaves open what is beyond: on a CPU it wraps into the smaller types, too. To bool:
/// whether `value` is not 0.
int64_t truncated(DType dtype, double value);
/// The largest finite number of a floating type.
double largest_of(DType dtype);
/// The least and the largest number of an integer type, or of bool.
std::pair<int64_t, int64_t> range_of(DType dtype);

}  // namespace weft
