// setp, set, selp, slct.

#include "weft/tests/ptx/handlers.h"

namespace weft::test::ptx {
namespace {

// Plain comparisons with a nan are false but for `ne` of C++, so `ne` asks for both; those with u are true with a nan.
constexpr auto is_number = [](auto a, auto b) { return a == a && b == b; };
constexpr auto eq = [](auto a, auto b) { return a == b; };
constexpr auto ne = [](auto a, auto b) { return a != b && is_number(a, b); };
constexpr auto lt = [](auto a, auto b) { return a < b; };
constexpr auto le = [](auto a, auto b) { return a <= b; };
constexpr auto gt = [](auto a, auto b) { return a > b; };
constexpr auto ge = [](auto a, auto b) { return a >= b; };
constexpr auto equ = [](auto a, auto b) { return a == b || !is_number(a, b); };
constexpr auto neu = [](auto a, auto b) { return a != b; };
constexpr auto ltu = [](auto a, auto b) { return !(a >= b); };
constexpr auto leu = [](auto a, auto b) { return !(a > b); };
constexpr auto gtu = [](auto a, auto b) { return !(a <= b); };
constexpr auto geu = [](auto a, auto b) { return !(a < b); };
constexpr auto num = [](auto a, auto b) { return is_number(a, b); };
constexpr auto nan = [](auto a, auto b) { return !is_number(a, b); };

/// What is compared: halves by their values.
template <class T>
auto comparable(T x) {
  if constexpr (is_half<T>) return to_double(x);
  else return x;
}

enum Combine { plain, conjunction, disjunction, difference };

bool combined(Thread& t, const Instruction& i, bool compared) {
  if (i.number == plain) return compared;
  const bool c = t.get<bool>(i.c) != i.negated;
  return i.number == conjunction ? compared && c : i.number == disjunction ? compared || c : compared != c;
}

template <class T, auto f>
void run_setp(Thread& t, const Instruction& i) {
  const bool compared = f(comparable(t.get<T>(i.a)), comparable(t.get<T>(i.b)));
  t.set<bool>(i.d, combined(t, i, compared));
  if (!i.more.empty()) t.set<bool>(i.more[0], combined(t, i, !compared));
}

template <class T, auto f>
void run_set(Thread& t, const Instruction& i) {
  const bool result = combined(t, i, f(comparable(t.get<T>(i.a)), comparable(t.get<T>(i.b))));
  if (i.type == Type::f32) t.set<float>(i.d, result ? 1.0f : 0.0f);
  else t.set<uint32_t>(i.d, result ? UINT32_MAX : 0);
}

/// Comparisons of bits know no order, those of integers no nan.
template <auto f, bool bits, bool integers, bool floats>
Run handler(const Decoding& d, Type type, bool is_set) {
  const auto make = [&]<class T>(std::type_identity<T>) -> Run { return is_set ? run_set<T, f> : run_setp<T, f>; };
  if constexpr (bits)
    if (is_bits(type)) return for_type<Type::b16, Type::b32, Type::b64>(d, type, make);
  if constexpr (integers)
    if (is_integer(type)) return for_type<Type::u16, Type::u32, Type::u64, Type::s16, Type::s32, Type::s64>(d, type, make);
  if constexpr (floats) return for_type<Type::f16, Type::bf16, Type::f32, Type::f64>(d, type, make);
  d.refuse("no such comparison of the type ." + std::string(name_of(type)));
}

Run handler(const Decoding& d, int comparison, Type type, bool is_set) {
  switch (comparison) {
    case 0: return handler<eq, true, true, true>(d, type, is_set);
    case 1: return handler<ne, true, true, true>(d, type, is_set);
    case 2: return handler<lt, false, true, true>(d, type, is_set);
    case 3: return handler<le, false, true, true>(d, type, is_set);
    case 4: return handler<gt, false, true, true>(d, type, is_set);
    case 5: return handler<ge, false, true, true>(d, type, is_set);
    case 6: return handler<equ, false, false, true>(d, type, is_set);
    case 7: return handler<neu, false, false, true>(d, type, is_set);
    case 8: return handler<ltu, false, false, true>(d, type, is_set);
    case 9: return handler<leu, false, false, true>(d, type, is_set);
    case 10: return handler<gtu, false, false, true>(d, type, is_set);
    case 11: return handler<geu, false, false, true>(d, type, is_set);
    case 12: return handler<num, false, false, true>(d, type, is_set);
    case 13: return handler<nan, false, false, true>(d, type, is_set);
    default: d.refuse("an unknown comparison");
  }
}

/// lo, ls, hi, hs: of unsigned integers only.
constexpr int first_of_unsigned = 14;
constexpr int plain_of_unsigned[] = {2, 3, 4, 5};

void decode_comparison(Decoding& d, bool is_set) {
  int comparison =
      d.take_one_of({"eq", "ne", "lt", "le", "gt", "ge", "equ", "neu", "ltu", "leu", "gtu", "geu", "num", "nan", "lo", "ls", "hi", "hs"});
  d.out.number = d.take_one_of({"and", "or", "xor"}) + 1;
  if (is_set) d.out.type = d.take_type();
  const Type type = d.take_type();
  if (comparison >= first_of_unsigned) {
    if (!is_unsigned(type)) d.refuse("a comparison of unsigned integers");
    comparison = plain_of_unsigned[comparison - first_of_unsigned];
  }
  d.out.run = handler(d, comparison, type, is_set);
  d.out.a = d.source(1, type), d.out.b = d.source(2, type);
  if (d.out.number != plain) d.out.c = d.predicate(3);
}

void decode_setp(Decoding& d) {
  decode_comparison(d, false);
  const Operand& to = d.operand(0);
  const bool is_pair = to.kind == Operand::Kind::pair;
  d.out.d = d.destination(is_pair ? to.parts[0] : to, Type::pred);
  if (is_pair) d.out.more = {d.destination(to.parts[1], Type::pred)};
}

void decode_set(Decoding& d) {
  decode_comparison(d, true);
  if (d.out.type != Type::u32 && d.out.type != Type::s32 && d.out.type != Type::f32) d.refuse("set gives .u32, .s32 or .f32");
  d.out.d = d.destination(0, d.out.type);
}

/// Bits are moved, whatever the type.
template <class T>
void run_selp(Thread& t, const Instruction& i) {
  const T a = t.get<T>(i.a), b = t.get<T>(i.b);
  t.set<T>(i.d, t.get<bool>(i.c) ? a : b);
}

template <class T, class Control>
void run_slct(Thread& t, const Instruction& i) {
  const T a = t.get<T>(i.a), b = t.get<T>(i.b);
  t.set<T>(i.d, t.get<Control>(i.c) >= 0 ? a : b);
}

/// A type of the same width without a meaning.
Type bits_type(const Decoding& d, Type type) {
  switch (bytes_of(type)) {
    case 2: return Type::b16;
    case 4: return Type::b32;
    case 8: return Type::b64;
    default: d.refuse("the instruction has no type ." + std::string(name_of(type)));
  }
}

void decode_selp(Decoding& d) {
  const Type type = d.take_type();
  d.out.run =
      for_type<Type::b16, Type::b32, Type::b64>(d, bits_type(d, type), []<class T>(std::type_identity<T>) -> Run { return run_selp<T>; });
  d.out.d = d.destination(0, type), d.out.a = d.source(1, type), d.out.b = d.source(2, type), d.out.c = d.source(3, Type::pred);
}

void decode_slct(Decoding& d) {
  const Type type = d.take_type(), control = d.take_type();
  if (control != Type::s32 && control != Type::f32) d.refuse("slct asks an .s32 or .f32");
  d.out.run = for_type<Type::b16, Type::b32, Type::b64>(d, bits_type(d, type), [&]<class T>(std::type_identity<T>) -> Run {
    return control == Type::s32 ? run_slct<T, int32_t> : run_slct<T, float>;
  });
  d.out.d = d.destination(0, type), d.out.a = d.source(1, type), d.out.b = d.source(2, type), d.out.c = d.source(3, control);
}

}  // namespace

void add_comparison_opcodes(Opcodes& opcodes) {
  opcodes["setp"] = decode_setp;
  opcodes["set"] = decode_set;
  opcodes["selp"] = decode_selp;
  opcodes["slct"] = decode_slct;
}

}  // namespace weft::test::ptx
