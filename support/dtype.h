#pragma once
// Element types. Semantics of conversions follow PyTorch: float to integer truncates towards zero,
// anything to bool is `!= 0`, f32 to bf16 rounds to nearest even.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace weft {

enum class DType : uint8_t { f64, f32, bf16, i64, i32, u8, bool_ };

inline constexpr DType f64 = DType::f64;
inline constexpr DType f32 = DType::f32;
inline constexpr DType bf16 = DType::bf16;
inline constexpr DType i64 = DType::i64;
inline constexpr DType i32 = DType::i32;
inline constexpr DType u8 = DType::u8;
inline constexpr DType boolean = DType::bool_;

inline constexpr DType all_dtypes[] = {f64, f32, bf16, i64, i32, u8, boolean};

/// Bytes of one element; a bool takes one byte, 0 or 1.
constexpr size_t size_of(DType t) {
  switch (t) {
    case DType::f64:
    case DType::i64: return 8;
    case DType::f32:
    case DType::i32: return 4;
    case DType::bf16: return 2;
    case DType::u8:
    case DType::bool_: return 1;
  }
  return 0;
}

constexpr bool is_floating(DType t) { return t == f64 || t == f32 || t == bf16; }
constexpr bool is_integer(DType t) { return t == i64 || t == i32 || t == u8; }

/// The name in text: "f32", "bool", ...
constexpr std::string_view name_of(DType t) {
  switch (t) {
    case DType::f64: return "f64";
    case DType::f32: return "f32";
    case DType::bf16: return "bf16";
    case DType::i64: return "i64";
    case DType::i32: return "i32";
    case DType::u8: return "u8";
    case DType::bool_: return "bool";
  }
  return "?";
}

constexpr std::optional<DType> dtype_from_name(std::string_view name) {
  for (DType t : all_dtypes)
    if (name_of(t) == name) return t;
  return std::nullopt;
}

/// A bfloat16 value: the upper half of an f32.
struct bf16_t {
  uint16_t bits = 0;
};

bf16_t to_bf16(float value);  // nearest even; NaN stays NaN
float from_bf16(bf16_t value);

/// The DType of a C++ element type; only the types below have one.
template <class T>
struct dtype_of_t;
template <>
struct dtype_of_t<double> {
  static constexpr DType value = f64;
};
template <>
struct dtype_of_t<float> {
  static constexpr DType value = f32;
};
template <>
struct dtype_of_t<bf16_t> {
  static constexpr DType value = bf16;
};
template <>
struct dtype_of_t<int64_t> {
  static constexpr DType value = i64;
};
template <>
struct dtype_of_t<long long> {
  static constexpr DType value = i64;
};
template <>
struct dtype_of_t<int32_t> {
  static constexpr DType value = i32;
};
template <>
struct dtype_of_t<uint8_t> {
  static constexpr DType value = u8;
};
template <>
struct dtype_of_t<bool> {
  static constexpr DType value = boolean;
};
template <class T>
inline constexpr DType dtype_of = dtype_of_t<T>::value;

}  // namespace weft
