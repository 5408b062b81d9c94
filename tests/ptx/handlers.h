#pragma once
// Functions that carry out instructions, made of a function of values.

#include "weft/tests/ptx/decode.h"

namespace weft::test::ptx {

template <Type type>
struct CppOf;
// clang-format off
template <> struct CppOf<Type::b8> { using type = uint8_t; };
template <> struct CppOf<Type::b16> { using type = uint16_t; };
template <> struct CppOf<Type::b32> { using type = uint32_t; };
template <> struct CppOf<Type::b64> { using type = uint64_t; };
template <> struct CppOf<Type::u8> { using type = uint8_t; };
template <> struct CppOf<Type::u16> { using type = uint16_t; };
template <> struct CppOf<Type::u32> { using type = uint32_t; };
template <> struct CppOf<Type::u64> { using type = uint64_t; };
template <> struct CppOf<Type::s8> { using type = int8_t; };
template <> struct CppOf<Type::s16> { using type = int16_t; };
template <> struct CppOf<Type::s32> { using type = int32_t; };
template <> struct CppOf<Type::s64> { using type = int64_t; };
template <> struct CppOf<Type::f16> { using type = F16; };
template <> struct CppOf<Type::bf16> { using type = BF16; };
template <> struct CppOf<Type::f16x2> { using type = Pair<F16>; };
template <> struct CppOf<Type::bf16x2> { using type = Pair<BF16>; };
template <> struct CppOf<Type::tf32> { using type = uint32_t; };
template <> struct CppOf<Type::f32> { using type = float; };
template <> struct CppOf<Type::f64> { using type = double; };
template <> struct CppOf<Type::pred> { using type = bool; };
// clang-format on

template <class T>
inline constexpr bool is_half = std::is_same_v<T, F16> || std::is_same_v<T, BF16>;
template <class T>
inline constexpr bool is_pair = std::is_same_v<T, Pair<F16>> || std::is_same_v<T, Pair<BF16>>;

/// Gives the C++ type of `type` to `make`, which returns what to run; refuses a type that is not in the list.
template <Type... accepted, class Make>
auto for_type(const Decoding& d, Type type, Make make) {
  decltype(make(std::type_identity<uint32_t>())) result = nullptr;
  ((type == accepted ? void(result = make(std::type_identity<typename CppOf<accepted>::type>())) : void()), ...);
  if (!result) d.refuse("the instruction has no type ." + std::string(name_of(type)));
  return result;
}

template <class T, auto f>
void run_unary(Thread& t, const Instruction& i) {
  t.set<T>(i.d, static_cast<T>(f(t.get<T>(i.a))));
}
template <class T, auto f>
void run_binary(Thread& t, const Instruction& i) {
  t.set<T>(i.d, static_cast<T>(f(t.get<T>(i.a), t.get<T>(i.b))));
}
template <class T, auto f>
void run_ternary(Thread& t, const Instruction& i) {
  t.set<T>(i.d, static_cast<T>(f(t.get<T>(i.a), t.get<T>(i.b), t.get<T>(i.c))));
}

/// d, a of one type, which has been taken.
template <auto f, Type... accepted>
void decode_unary(Decoding& d, Type type) {
  d.out.run = for_type<accepted...>(d, type, []<class T>(std::type_identity<T>) -> Run { return run_unary<T, f>; });
  d.out.d = d.destination(0, type), d.out.a = d.source(1, type);
}
template <auto f, Type... accepted>
void decode_binary(Decoding& d, Type type) {
  d.out.run = for_type<accepted...>(d, type, []<class T>(std::type_identity<T>) -> Run { return run_binary<T, f>; });
  d.out.d = d.destination(0, type), d.out.a = d.source(1, type), d.out.b = d.source(2, type);
}
template <auto f, Type... accepted>
void decode_ternary(Decoding& d, Type type) {
  d.out.run = for_type<accepted...>(d, type, []<class T>(std::type_identity<T>) -> Run { return run_ternary<T, f>; });
  d.out.d = d.destination(0, type), d.out.a = d.source(1, type), d.out.b = d.source(2, type), d.out.c = d.source(3, type);
}

}  // namespace weft::test::ptx
