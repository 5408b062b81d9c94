#include "weft/support/conversion.h"

#include <cmath>
#include <limits>
#include <type_traits>

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

/// The lower 32 bits of the whole part; of infinities and nan 0.
int64_t modulo_2_32(double value) { return std::isfinite(value) ? static_cast<int64_t>(std::fmod(std::trunc(value), 0x1p32)) : 0; }

}  // namespace

double rounded(DType dtype, double value) {
  if (dtype == f32) return static_cast<float>(value);
  if (dtype == f16) return from_f16(to_f16(static_cast<float>(value)));
  if (dtype == bf16) return from_bf16(to_bf16(static_cast<float>(value)));
  return value;
}

int64_t wrapped(DType dtype, int64_t value) {
  switch (dtype) {
    case DType::i32: return static_cast<int32_t>(value);
    case DType::i16: return static_cast<int16_t>(value);
    case DType::i8: return static_cast<int8_t>(value);
    case DType::u32: return static_cast<uint32_t>(value);
    case DType::u16: return static_cast<uint16_t>(value);
    case DType::u8: return static_cast<uint8_t>(value);
    case DType::bool_: return value & 1;
    default: return value;
  }
}

int64_t truncated(DType dtype, double value) {
  switch (dtype) {
    case DType::i64: return saturated<int64_t>(value);
    case DType::i32: return saturated<int32_t>(value);
    case DType::bool_: return value != 0;
    default: return wrapped(dtype, modulo_2_32(value));
  }
}

double largest_of(DType dtype) {
  const int exponent = dtype == f64 ? 1023 : dtype == f16 ? 15 : 127;
  return std::ldexp(2 - epsilon_of(dtype), exponent);
}

std::pair<int64_t, int64_t> range_of(DType dtype) {
  if (dtype == boolean) return {0, 1};
  return with_element_type(dtype, []<class T>(ElementType<T>) -> std::pair<int64_t, int64_t> {
    if constexpr (std::is_integral_v<T>) return {std::numeric_limits<T>::min(), std::numeric_limits<T>::max()};
    else return {};
  });
}

}  // namespace weft
