// add, sub, mul, div, fma, sqrt, rcp, neg, abs, min, max, copysign, testp of floating types. Flushing subnormals (.ftz) and approximations
// are refused, as is a sum or product without a rounding, which an assembler may contract.

#include <algorithm>

#include "weft/tests/ptx/handlers.h"
#include "weft/tests/ptx/opcodes_shared.h"

namespace weft::test::ptx {
namespace {

/// Both halves of a pair, or the value itself.
template <class T, class F, class... More>
T each(F f, T a, More... more) {
  if constexpr (is_pair<T>) return {f(a.low, more.low...), f(a.high, more.high...)};
  else return f(a, more...);
}

constexpr auto sum = [](auto a, auto b) {
  return each(
      []<class T>(T x, T y) -> T {
        if constexpr (is_half<T>) return add(x, y);
        else return x + y;
      },
      a, b);
};
constexpr auto flip = []<class T>(T x) -> T {
  if constexpr (is_half<T>) return {static_cast<uint16_t>(x.bits ^ 0x8000)};
  else return -x;
};
constexpr auto clear_sign = []<class T>(T x) -> T {
  if constexpr (is_half<T>) return {static_cast<uint16_t>(x.bits & 0x7fff)};
  else return std::fabs(x);
};
constexpr auto negation = [](auto a) { return each(flip, a); };
constexpr auto magnitude = [](auto a) { return each(clear_sign, a); };
constexpr auto difference = [](auto a, auto b) { return sum(a, negation(b)); };
constexpr auto product = [](auto a, auto b) {
  return each(
      []<class T>(T x, T y) -> T {
        if constexpr (is_half<T>) return multiply(x, y);
        else return x * y;
      },
      a, b);
};
constexpr auto product_sum = [](auto a, auto b, auto c) {
  return each(
      []<class T>(T x, T y, T z) -> T {
        if constexpr (is_half<T>) return fma(x, y, z);
        else return std::fma(x, y, z);
      },
      a, b, c);
};
constexpr auto quotient = [](auto a, auto b) { return a / b; };
constexpr auto reciprocal = [](auto a) { return decltype(a){1} / a; };
constexpr auto root = [](auto a) { return std::sqrt(a); };

double value_of(float x) { return x; }
double value_of(double x) { return x; }
double value_of(F16 x) { return to_double(x); }
double value_of(BF16 x) { return to_double(x); }

template <class T>
T the_nan() {
  if constexpr (is_half<T>) return {0x7fff};
  else return std::numeric_limits<T>::quiet_NaN();
}

/// -0 is below 0. One nan gives the other operand, with `spreads` a nan.
template <bool is_max, bool spreads>
constexpr auto extreme = [](auto a, auto b) {
  return each(
      []<class T>(T x, T y) -> T {
        const double u = value_of(x), v = value_of(y);
        if (std::isnan(u) || std::isnan(v)) return spreads || (std::isnan(u) && std::isnan(v)) ? the_nan<T>() : std::isnan(u) ? y : x;
        const bool first_is_less = u < v || (u == v && std::signbit(u));
        return first_is_less != is_max ? x : y;
      },
      a, b);
};

/// As on the hardware, nan becomes 0.
float saturated(float x) { return x > 0 ? std::min(x, 1.0f) : 0.0f; }

template <class T, auto f, int operands>
void run_rounded(Thread& t, const Instruction& i) {
  T result;
  {
    volatile T a = t.get<T>(i.a), b = operands > 1 ? t.get<T>(i.b) : T{}, c = operands > 2 ? t.get<T>(i.c) : T{};
    const WithRounding set(i.rounding);
    volatile T computed;
    if constexpr (operands == 1) computed = f(static_cast<T>(a));
    else if constexpr (operands == 2) computed = f(static_cast<T>(a), static_cast<T>(b));
    else computed = f(static_cast<T>(a), static_cast<T>(b), static_cast<T>(c));
    result = computed;
  }
  if constexpr (std::is_same_v<T, float>)
    if (i.saturates) result = saturated(result);
  t.set<T>(i.d, result);
}

template <class T, auto f, int operands>
Run plain() {
  if constexpr (operands == 1) return run_unary<T, f>;
  else if constexpr (operands == 2) return run_binary<T, f>;
  else return run_ternary<T, f>;
}

/// [.rounding][.sat].type; halves round to nearest only.
template <auto f, int operands, Type... halves>
void decode_rounded(Decoding& d) {
  const std::optional<Rounding> rounding = d.take_rounding();
  if (!rounding) d.refuse("the rounding is missing, and without it an assembler may contract");
  d.out.rounding = *rounding;
  d.out.saturates = d.take("sat");
  const Type type = d.take_type();
  if (d.out.saturates && type != Type::f32) d.refuse(".sat is of .f32 only");
  d.out.run = for_type<Type::f32, Type::f64, halves...>(d, type, [&]<class T>(std::type_identity<T>) -> Run {
    if (*rounding == Rounding::nearest && !d.out.saturates) return plain<T, f, operands>();
    if constexpr (std::is_floating_point_v<T>) return run_rounded<T, f, operands>;
    else d.refuse("halves round to nearest");
  });
  d.out.d = d.destination(0, type), d.out.a = d.source(1, type);
  if (operands > 1) d.out.b = d.source(2, type);
  if (operands > 2) d.out.c = d.source(3, type);
}

#define WEFT_HALVES Type::f16, Type::bf16, Type::f16x2, Type::bf16x2

template <bool is_max>
void decode_extreme(Decoding& d) {
  if (d.take("NaN")) decode_binary<extreme<is_max, true>, Type::f32, WEFT_HALVES>(d, d.take_type());
  else decode_binary<extreme<is_max, false>, Type::f32, Type::f64, WEFT_HALVES>(d, d.take_type());
}

/// d has the sign of a and the magnitude of b.
constexpr auto with_sign = [](auto a, auto b) { return std::copysign(b, a); };

template <class T, auto f>
void run_test(Thread& t, const Instruction& i) {
  t.set<bool>(i.d, f(t.get<T>(i.a)));
}

template <auto f>
void decode_test(Decoding& d) {
  const Type type = d.take_type();
  d.out.run = for_type<Type::f32, Type::f64>(d, type, []<class T>(std::type_identity<T>) -> Run { return run_test<T, f>; });
  d.out.d = d.destination(0, Type::pred), d.out.a = d.source(1, type);
}

void decode_testp(Decoding& d) {
  switch (d.take_one_of({"finite", "infinite", "number", "notanumber", "normal", "subnormal"})) {
    case 0: return decode_test<[](auto x) { return std::isfinite(x); }>(d);
    case 1: return decode_test<[](auto x) { return std::isinf(x); }>(d);
    case 2: return decode_test<[](auto x) { return !std::isnan(x); }>(d);
    case 3: return decode_test<[](auto x) { return std::isnan(x); }>(d);
    case 4: return decode_test<[](auto x) { return std::isnormal(x); }>(d);
    case 5: return decode_test<[](auto x) { return std::fpclassify(x) == FP_SUBNORMAL; }>(d);
    default: d.refuse("an unknown test");
  }
}

}  // namespace

void decode_float_add(Decoding& d) { decode_rounded<sum, 2, WEFT_HALVES>(d); }
void decode_float_sub(Decoding& d) { decode_rounded<difference, 2, WEFT_HALVES>(d); }
void decode_float_mul(Decoding& d) { decode_rounded<product, 2, WEFT_HALVES>(d); }
void decode_float_div(Decoding& d) { decode_rounded<quotient, 2>(d); }
void decode_float_min(Decoding& d) { decode_extreme<false>(d); }
void decode_float_max(Decoding& d) { decode_extreme<true>(d); }
void decode_float_neg(Decoding& d) { decode_unary<negation, Type::f32, Type::f64, WEFT_HALVES>(d, d.take_type()); }
void decode_float_abs(Decoding& d) { decode_unary<magnitude, Type::f32, Type::f64, WEFT_HALVES>(d, d.take_type()); }

void add_float_opcodes(Opcodes& opcodes) {
  opcodes["fma"] = decode_rounded<product_sum, 3, WEFT_HALVES>;
  opcodes["rcp"] = decode_rounded<reciprocal, 1>;
  opcodes["sqrt"] = decode_rounded<root, 1>;
  opcodes["copysign"] = [](Decoding& d) { decode_binary<with_sign, Type::f32, Type::f64>(d, d.take_type()); };
  opcodes["testp"] = decode_testp;
}

}  // namespace weft::test::ptx
