// cvt, cvta.

#include <algorithm>
#include <limits>

#include "weft/tests/ptx/handlers.h"

namespace weft::test::ptx {
namespace {

template <class T>
inline constexpr bool is_whole = std::is_integral_v<T>;

template <class T>
long double exact(T x) {
  if constexpr (is_half<T>) return to_double(x);
  else return x;
}

template <class To>
To to_float(long double x, Rounding rounding) {
  if constexpr (is_half<To>) return to_half<To>(x, rounding);
  else return static_cast<To>(rounded(x, std::is_same_v<To, float> ? f32_format : f64_format, rounding));
}

/// The nearest integer of the type, in the direction. A nan is 0, or the highest bit where f64 or 64 bits take part.
template <class From, class To>
To to_whole(long double x, Rounding rounding) {
  using Limits = std::numeric_limits<To>;
  if (std::isnan(x)) {
    constexpr bool is_long = std::is_same_v<From, double> || sizeof(To) == 8;
    return is_long ? static_cast<To>(To{1} << (8 * sizeof(To) - 1)) : To{0};
  }
  const long double y = rounded_to_integer(x, rounding);
  if (y <= static_cast<long double>(Limits::min())) return Limits::min();
  if (y >= static_cast<long double>(Limits::max())) return Limits::max();
  return static_cast<To>(y);
}

template <class To, class From>
To clamped(From x) {
  using Limits = std::numeric_limits<To>;
  if (std::cmp_less(x, Limits::min())) return Limits::min();
  return std::cmp_greater(x, Limits::max()) ? Limits::max() : static_cast<To>(x);
}

/// Extended to the register's width as the type says.
template <class T>
void set_whole(Thread& t, const Instruction& i, T value) {
  const auto bits = static_cast<uint64_t>(value);
  t.set<uint64_t>(i.d, i.width == 8 ? bits : bits & ((uint64_t{1} << (8 * i.width)) - 1));
}

template <class From, class To>
void run_cvt(Thread& t, const Instruction& i) {
  const From x = t.get<From>(i.a);
  if constexpr (is_whole<From> && is_whole<To>) {
    set_whole<To>(t, i, i.saturates ? clamped<To>(x) : static_cast<To>(x));
  } else if constexpr (is_whole<To>) {
    set_whole<To>(t, i, to_whole<From, To>(exact(x), i.rounding));
  } else {
    long double value = exact(x);
    if (i.number) value = std::copysign(rounded_to_integer(value, i.rounding), value);
    if (i.saturates) value = value > 0 ? std::min(value, 1.0L) : 0.0L;
    t.set<To>(i.d, to_float<To>(value, i.number ? Rounding::nearest : i.rounding));
  }
}

/// What C++ does is the same, and faster: one rounding to nearest.
template <class From, class To>
void run_nearest(Thread& t, const Instruction& i) {
  t.set<To>(i.d, static_cast<To>(t.get<From>(i.a)));
}
template <class T, auto f>
void run_integral(Thread& t, const Instruction& i) {
  t.set<T>(i.d, f(t.get<T>(i.a)));
}

/// Of operands that are no halves; null where there is none.
template <class From, class To>
Run fast(const Instruction& out) {
  if constexpr (std::is_floating_point_v<To> && !is_half<From>) {
    if (out.saturates) return nullptr;
    if (!out.number) return out.rounding == Rounding::nearest ? run_nearest<From, To> : nullptr;
    if constexpr (std::is_same_v<From, To>) switch (out.rounding) {
        case Rounding::down: return run_integral<To, [](To x) { return std::floor(x); }>;
        case Rounding::up: return run_integral<To, [](To x) { return std::ceil(x); }>;
        case Rounding::zero: return run_integral<To, [](To x) { return std::trunc(x); }>;
        default: return run_integral<To, [](To x) { return std::nearbyint(x); }>;
      }
  }
  return nullptr;
}

#define WEFT_CONVERTED \
  Type::u8, Type::u16, Type::u32, Type::u64, Type::s8, Type::s16, Type::s32, Type::s64, Type::f16, Type::bf16, Type::f32, Type::f64

/// What must be said of the rounding: how to become an integer, or a float that may not hold the number; else nothing.
void check_rounding(Decoding& d, Type to, Type from, bool integral, bool has_rounding) {
  const bool from_whole = is_integer(from), to_whole = is_integer(to);
  const bool narrows = !to_whole && (from_whole || bytes_of(to) < bytes_of(from) || (to != from && bytes_of(to) == bytes_of(from)));
  if (!from_whole && to_whole && !integral) d.refuse("the rounding to an integer is missing");
  if (narrows && (!has_rounding || integral)) d.refuse("the rounding is missing");
  if (from_whole && to_whole && has_rounding) d.refuse("a rounding of what needs none");
  if (integral && !to_whole && from != to) d.refuse("a rounding to an integer of another type");
  if (has_rounding && !integral && !narrows) d.refuse("a rounding of what needs none");
}

template <class Half>
void run_pack(Thread& t, const Instruction& i) {
  const Half high = to_half<Half>(t.get<float>(i.a), i.rounding), low = to_half<Half>(t.get<float>(i.b), i.rounding);
  t.set<Pair<Half>>(i.d, {low, high});
}

/// d, high, low.
void decode_pack(Decoding& d, Type type) {
  if (d.out.number || d.out.saturates || d.take_type() != Type::f32) d.refuse("pairs are made of .f32");
  d.out.run = type == Type::f16x2 ? run_pack<F16> : run_pack<BF16>;
  d.out.d = d.destination(0, Type::b32), d.out.a = d.source(1, Type::f32), d.out.b = d.source(2, Type::f32);
}

void run_tf32(Thread& t, const Instruction& i) {
  const float x = t.get<float>(i.a);
  t.set<float>(i.d, static_cast<float>(rounded(x, tf32_format, i.rounding)));
}

void decode_tf32(Decoding& d) {
  if (d.out.number || d.out.saturates || d.take_type() != Type::f32) d.refuse("tf32 is made of .f32");
  d.out.run = run_tf32;
  d.out.d = d.destination(0, Type::b32), d.out.a = d.source(1, Type::f32);
}

void decode_cvt(Decoding& d) {
  const int integral = d.take_one_of({"rni", "rzi", "rmi", "rpi"});
  std::optional<Rounding> rounding = integral >= 0 ? std::optional(static_cast<Rounding>(integral)) : d.take_rounding();
  if (d.take("rna")) rounding = Rounding::away;
  d.out.number = integral >= 0;
  d.out.rounding = rounding.value_or(Rounding::nearest);
  d.out.saturates = d.take("sat");
  const Type to = d.take_type();
  if ((to == Type::f16x2 || to == Type::bf16x2) && (rounding == Rounding::nearest || rounding == Rounding::zero)) return decode_pack(d, to);
  if (to == Type::tf32 && rounding && rounding != Rounding::down && rounding != Rounding::up) return decode_tf32(d);
  if (rounding == Rounding::away) d.refuse(".rna is of .tf32 only");
  const Type from = d.take_type();
  check_rounding(d, to, from, integral >= 0, rounding.has_value());
  d.out.run = for_type<WEFT_CONVERTED>(d, to, [&]<class To>(std::type_identity<To>) -> Run {
    return for_type<WEFT_CONVERTED>(d, from, [&]<class From>(std::type_identity<From>) -> Run {
      if (const Run run = fast<From, To>(d.out)) return run;
      return run_cvt<From, To>;
    });
  });
  d.out.a = is_integer(from) ? d.wide_source(d.operand(1), from) : d.source(1, from);
  d.out.d = is_integer(to) ? d.wide_destination(d.operand(0), to) : d.destination(0, to);
}

void run_cvta(Thread& t, const Instruction& i) { t.set<uint64_t>(i.d, t.get<uint64_t>(i.a) + static_cast<uint64_t>(i.number)); }

/// Global addresses are generic as they are; those of other spaces lie in a window.
void decode_cvta(Decoding& d) {
  const bool to_space = d.take("to");
  const int space = d.take_one_of({"global", "shared", "shared::cta", "local", "const", "param", "param::entry"});
  if (space < 0 || d.take_type() != Type::u64) d.refuse("cvta is of a space and .u64");
  d.out.number = space == 0 ? 0 : to_space ? -static_cast<int64_t>(generic_window) : static_cast<int64_t>(generic_window);
  d.out.run = run_cvta;
  d.out.d = d.destination(0, Type::u64);
  const auto variable = d.address_of(d.operand(1));
  d.out.a = variable ? d.names().constant(*variable) : d.source(1, Type::u64);
}

}  // namespace

void add_conversion_opcodes(Opcodes& opcodes) {
  opcodes["cvt"] = decode_cvt;
  opcodes["cvta"] = decode_cvta;
}

}  // namespace weft::test::ptx
