// add, sub, mul, mad, div, rem, abs, neg, min, max of integers; where floating types have the same opcode, it goes on to these.

#include <algorithm>

#include "weft/tests/ptx/handlers.h"
#include "weft/tests/ptx/opcodes_shared.h"

namespace weft::test::ptx {
namespace {

__extension__ typedef __int128 SignedWide;
__extension__ typedef unsigned __int128 UnsignedWide;
template <class T>
using Wide = std::conditional_t<std::is_signed_v<T>, SignedWide, UnsignedWide>;

/// Sign-extended or not, as the type is: the low bits of sums and products are right then.
template <class T>
uint64_t extended(T x) {
  return static_cast<uint64_t>(x);
}

constexpr auto sum = [](auto a, auto b) { return static_cast<decltype(a)>(extended(a) + extended(b)); };
constexpr auto difference = [](auto a, auto b) { return static_cast<decltype(a)>(extended(a) - extended(b)); };
constexpr auto low_product = [](auto a, auto b) { return static_cast<decltype(a)>(extended(a) * extended(b)); };
constexpr auto high_product = []<class T>(T a, T b) {
  return static_cast<T>((static_cast<Wide<T>>(a) * static_cast<Wide<T>>(b)) >> (8 * sizeof(T)));
};
constexpr auto low_sum = [](auto a, auto b, auto c) { return sum(low_product(a, b), c); };
constexpr auto high_sum = [](auto a, auto b, auto c) { return sum(high_product(a, b), c); };
constexpr auto negation = [](auto a) { return static_cast<decltype(a)>(0 - extended(a)); };
constexpr auto magnitude = [](auto a) { return a < 0 ? negation(a) : a; };
constexpr auto smaller = [](auto a, auto b) { return b < a ? b : a; };
constexpr auto larger = [](auto a, auto b) { return a < b ? b : a; };

constexpr auto limited_sum = [](int32_t a, int32_t b) {
  return static_cast<int32_t>(std::clamp<int64_t>(int64_t{a} + b, INT32_MIN, INT32_MAX));
};
constexpr auto limited_difference = [](int32_t a, int32_t b) {
  return static_cast<int32_t>(std::clamp<int64_t>(int64_t{a} - b, INT32_MIN, INT32_MAX));
};

template <class T>
void require_divisor(T b) {
  if (b == 0) throw Problem{Check::undefined, "a division by zero"};
}
constexpr auto quotient = []<class T>(T a, T b) {
  require_divisor(b);
  if constexpr (std::is_signed_v<T>)
    if (b == -1) return negation(a);  // the least number stays
  return static_cast<T>(a / b);
};
constexpr auto remainder = []<class T>(T a, T b) {
  require_divisor(b);
  if constexpr (std::is_signed_v<T>)
    if (b == -1) return T{0};
  return static_cast<T>(a % b);
};

/// Twice as wide as the operands.
template <class T, class Result>
void run_wide_product(Thread& t, const Instruction& i) {
  t.set<Result>(i.d, static_cast<Result>(extended(t.get<T>(i.a)) * extended(t.get<T>(i.b))));
}
template <class T, class Result>
void run_wide_sum(Thread& t, const Instruction& i) {
  t.set<Result>(i.d, static_cast<Result>(extended(t.get<T>(i.a)) * extended(t.get<T>(i.b)) + extended(t.get<Result>(i.c))));
}

#define WEFT_INTEGERS Type::u16, Type::u32, Type::u64, Type::s16, Type::s32, Type::s64

template <auto f, auto limited>
void decode_sum(Decoding& d) {
  if (d.take("sat")) decode_binary<limited, Type::s32>(d, d.take_type());
  else decode_binary<f, WEFT_INTEGERS>(d, d.take_type());
}

Type twice_as_wide(const Decoding& d, Type type) {
  switch (type) {
    case Type::u16: return Type::u32;
    case Type::s16: return Type::s32;
    case Type::u32: return Type::u64;
    case Type::s32: return Type::s64;
    default: d.refuse("no type is twice as wide");
  }
}

void decode_wide(Decoding& d, bool adds) {
  const Type type = d.take_type(), wide = twice_as_wide(d, type);
  d.out.run = for_type<Type::u16, Type::s16, Type::u32, Type::s32>(d, type, [&]<class T>(std::type_identity<T>) -> Run {
    using Result = std::conditional_t<sizeof(T) == 2, std::conditional_t<std::is_signed_v<T>, int32_t, uint32_t>,
                                      std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>>;
    return adds ? run_wide_sum<T, Result> : run_wide_product<T, Result>;
  });
  d.out.d = d.destination(0, wide), d.out.a = d.source(1, type), d.out.b = d.source(2, type);
  if (adds) d.out.c = d.source(3, wide);
}

void decode_mul(Decoding& d) {
  switch (d.take_one_of({"lo", "hi", "wide"})) {
    case 0: return decode_binary<low_product, WEFT_INTEGERS>(d, d.take_type());
    case 1: return decode_binary<high_product, WEFT_INTEGERS>(d, d.take_type());
    case 2: return decode_wide(d, false);
    default: return decode_float_mul(d);
  }
}

void decode_mad(Decoding& d) {
  switch (d.take_one_of({"lo", "hi", "wide"})) {
    case 0: return decode_ternary<low_sum, WEFT_INTEGERS>(d, d.take_type());
    case 1: return decode_ternary<high_sum, WEFT_INTEGERS>(d, d.take_type());
    case 2: return decode_wide(d, true);
    default: d.refuse("mad of floating types is fma");
  }
}

template <auto f, Decode of_floats, Type... accepted>
void decode_shared_unary(Decoding& d) {
  if (is_integer_opcode(d)) decode_unary<f, accepted...>(d, d.take_type());
  else of_floats(d);
}
template <auto f, Decode of_floats>
void decode_shared_binary(Decoding& d) {
  if (is_integer_opcode(d)) decode_binary<f, WEFT_INTEGERS>(d, d.take_type());
  else of_floats(d);
}

}  // namespace

bool is_integer_opcode(const Decoding& d) {
  const auto type = type_from_name(d.last_modifier());
  return type && is_integer(*type);
}

void add_integer_opcodes(Opcodes& opcodes) {
  opcodes["add"] = [](Decoding& d) { is_integer_opcode(d) ? decode_sum<sum, limited_sum>(d) : decode_float_add(d); };
  opcodes["sub"] = [](Decoding& d) { is_integer_opcode(d) ? decode_sum<difference, limited_difference>(d) : decode_float_sub(d); };
  opcodes["mul"] = decode_mul;
  opcodes["mad"] = decode_mad;
  opcodes["div"] = decode_shared_binary<quotient, decode_float_div>;
  opcodes["rem"] = [](Decoding& d) { decode_binary<remainder, WEFT_INTEGERS>(d, d.take_type()); };
  opcodes["min"] = decode_shared_binary<smaller, decode_float_min>;
  opcodes["max"] = decode_shared_binary<larger, decode_float_max>;
  opcodes["neg"] = decode_shared_unary<negation, decode_float_neg, Type::s16, Type::s32, Type::s64>;
  opcodes["abs"] = decode_shared_unary<magnitude, decode_float_abs, Type::s16, Type::s32, Type::s64>;
}

}  // namespace weft::test::ptx
