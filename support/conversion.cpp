#include "weft/support/conversion.h"

#include <cmath>
#include <limits>

namespace weft {
namespace {

template <class T>
int64_t saturated(double value) {
  if (std::isnan(value)) return 0;
  // 2^63 itself is a double and does not fit; the largest i64 is none.
  if (value >= static_cast<double>(std::numeric_limits<T>::max())) return std::numeric_limits<T>::max();
  if (value <= static_cast<double>(std::numeric_limits<T>::min())) return std::numeric_limits<T>::min();
  return static_cast<int64_t>(value);
}

}  // namespace

double rounded(DType dtype, double value) {
  if (dtype == f32) return static_cast<float>(value);
  if (dtype == bf16) return from_bf16(to_bf16(static_cast<float>(value)));
  return value;
}

int64_t wrapped(DType dtype, int64_t value) {
  switch (dtype) {
    case DType::i32: return static_cast<int32_t>(value);
    case DType::u8: return static_cast<uint8_t>(value);
    case DType::bool_: return value & 1;
    default: return value;
  }
}

int64_t truncated(DType dtype, double value) {
  switch (dtype) {
    case DType::i32: return saturated<int32_t>(value);
    case DType::u8: return saturated<uint8_t>(value);
    case DType::bool_: return value != 0;
    default: return saturated<int64_t>(value);
  }
}

}  // namespace weft
