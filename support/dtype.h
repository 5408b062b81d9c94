#pragma once
// Element types. Semantics of conversions follow PyTorch: float to integer truncates towards zero, anything to bool is `!= 0`, f32 to
// f16 and bf16 rounds to nearest even.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace weft {

enum class DType : uint8_t { f64, f32, bf16, i64, i32, u8, bool_, f16, i16, i8, u32, u16 };

inline constexpr DType f64 = DType::f64;
inline constexpr DType f32 = DType::f32;
inline constexpr DType f16 = DType::f16;
inline constexpr DType bf16 = DType::bf16;
inline constexpr DType i64 = DType::i64;
inline constexpr DType i32 = DType::i32;
inline constexpr DType i16 = DType::i16;
inline constexpr DType i8 = DType::i8;
inline constexpr DType u32 = DType::u32;
inline constexpr DType u16 = DType::u16;
inline constexpr DType u8 = DType::u8;
inline constexpr DType boolean = DType::bool_;

inline constexpr DType all_dtypes[] = {f64, f32, f16, bf16, i64, i32, i16, i8, u32, u16, u8, boolean};

/// Bytes of one element; a bool takes one byte, 0 or 1.
constexpr size_t size_of(DType t) {
  switch (t) {
    case DType::f64:
    case DType::i64: return 8;
    case DType::f32:
    case DType::i32:
    case DType::u32: return 4;
    case DType::f16:
    case DType::bf16:
    case DType::i16:
    case DType::u16: return 2;
    case DType::i8:
    case DType::u8:
    case DType::bool_: return 1;
  }
  return 0;
}

constexpr bool is_floating(DType t) { return t == f64 || t == f32 || t == f16 || t == bf16; }
constexpr bool is_integer(DType t) { return !is_floating(t) && t != boolean; }
/// Integers without negative numbers, and bool.
constexpr bool is_unsigned(DType t) { return t == u32 || t == u16 || t == u8 || t == boolean; }
/// Is it kept in fewer bits than anything computes floating numbers with?
constexpr bool is_narrow(DType t) { return t == f16 || t == bf16; }
/// The type that numbers of `t` are computed with: f32 for the narrow ones, each op's result rounded once; itself for the others.
constexpr DType computed_in(DType t) { return is_narrow(t) ? f32 : t; }

/// The name in text: "f32", "bool", ...
constexpr std::string_view name_of(DType t) {
  switch (t) {
    case DType::f64: return "f64";
    case DType::f32: return "f32";
    case DType::f16: return "f16";
    case DType::bf16: return "bf16";
    case DType::i64: return "i64";
    case DType::i32: return "i32";
    case DType::i16: return "i16";
    case DType::i8: return "i8";
    case DType::u32: return "u32";
    case DType::u16: return "u16";
    case DType::u8: return "u8";
    case DType::bool_: return "bool";
  }
  return "?";
}

/// Of a floating type, the leading one included: all integers of so many bits are its numbers.
constexpr int significand_bits(DType t) { return t == f64 ? 53 : t == f32 ? 24 : t == f16 ? 11 : 8; }
/// Of a floating type: from 1 to its next number.
constexpr double epsilon_of(DType t) { return 1.0 / static_cast<double>(int64_t{1} << (significand_bits(t) - 1)); }

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

/// An IEEE 754 binary16 value: a sign, 5 bits of exponent, 10 of mantissa.
struct f16_t {
  uint16_t bits = 0;
};

f16_t to_f16(float value);  // nearest even, from 65520 on infinity; NaN stays NaN. As F16C's instructions, bit for bit
float from_f16(f16_t value);

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
struct dtype_of_t<f16_t> {
  static constexpr DType value = f16;
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
struct dtype_of_t<int16_t> {
  static constexpr DType value = i16;
};
template <>
struct dtype_of_t<int8_t> {
  static constexpr DType value = i8;
};
template <>
struct dtype_of_t<uint32_t> {
  static constexpr DType value = u32;
};
template <>
struct dtype_of_t<uint16_t> {
  static constexpr DType value = u16;
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

template <class T>
struct ElementType {
  using type = T;
};
/// What `f` gives for ElementType<T>(), T being what an element is in memory: a bool is its byte.
template <class F>
decltype(auto) with_element_type(DType t, F&& f) {
  switch (t) {
    case DType::f64: return f(ElementType<double>());
    case DType::f32: return f(ElementType<float>());
    case DType::f16: return f(ElementType<f16_t>());
    case DType::bf16: return f(ElementType<bf16_t>());
    case DType::i32: return f(ElementType<int32_t>());
    case DType::i16: return f(ElementType<int16_t>());
    case DType::i8: return f(ElementType<int8_t>());
    case DType::u32: return f(ElementType<uint32_t>());
    case DType::u16: return f(ElementType<uint16_t>());
    case DType::u8:
    case DType::bool_: return f(ElementType<uint8_t>());
    case DType::i64: break;
  }
  return f(ElementType<int64_t>());
}

/// An element of memory as a number that is computed with, and back: the narrow types by way of float.
template <class T>
constexpr T number_of(T element) {
  return element;
}
inline float number_of(f16_t element) { return from_f16(element); }
inline float number_of(bf16_t element) { return from_bf16(element); }
template <class T, class Number>
T element_of(Number number) {
  if constexpr (dtype_of<T> == f16) return to_f16(static_cast<float>(number));
  else if constexpr (dtype_of<T> == bf16) return to_bf16(static_cast<float>(number));
  else return static_cast<T>(number);
}

}  // namespace weft
