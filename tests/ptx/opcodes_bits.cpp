// Logic, shifts, bit fields, counting and permuting.

#include <algorithm>

#include "weft/tests/ptx/handlers.h"

namespace weft::test::ptx {
namespace {

#define WEFT_LOGIC Type::pred, Type::b16, Type::b32, Type::b64

constexpr auto conjunction = [](auto a, auto b) { return a & b; };
constexpr auto disjunction = [](auto a, auto b) { return a | b; };
constexpr auto difference = [](auto a, auto b) { return a ^ b; };
constexpr auto complement = []<class T>(T a) {
  if constexpr (std::is_same_v<T, bool>) return !a;
  else return static_cast<T>(~a);
};
constexpr auto is_zero = [](auto a) { return a == 0; };

/// Amounts beyond the width count as the width.
constexpr auto shifted_left = []<class T>(T a, uint32_t n) {
  return n >= 8 * sizeof(T) ? T{0} : static_cast<T>(static_cast<uint64_t>(a) << n);
};
constexpr auto shifted_right = []<class T>(T a, uint32_t n) {
  constexpr uint32_t width = 8 * sizeof(T);
  if (n >= width && std::is_unsigned_v<T>) return T{0};
  return static_cast<T>(a >> std::min(n, width - 1));
};

template <class T, auto f>
void run_shift(Thread& t, const Instruction& i) {
  t.set<T>(i.d, f(t.get<T>(i.a), t.get<uint32_t>(i.b)));
}

template <auto f, Type... accepted>
void decode_shift(Decoding& d) {
  const Type type = d.take_type();
  d.out.run = for_type<accepted...>(d, type, []<class T>(std::type_identity<T>) -> Run { return run_shift<T, f>; });
  d.out.d = d.destination(0, type), d.out.a = d.source(1, type), d.out.b = d.source(2, Type::u32);
}

/// d, a, position, length.
template <class T>
void run_extract(Thread& t, const Instruction& i) {
  constexpr uint32_t width = 8 * sizeof(T);
  const T a = t.get<T>(i.a);
  const uint32_t position = t.get<uint32_t>(i.b) & 255, length = t.get<uint32_t>(i.c) & 255;
  const auto bit = [&](uint32_t n) { return (static_cast<uint64_t>(a) >> n) & 1; };
  const bool sign = std::is_signed_v<T> && length > 0 && bit(std::min(position + length - 1, width - 1));
  uint64_t result = 0;
  for (uint32_t n = 0; n < width; ++n) result |= (n < length && position + n < width ? bit(position + n) : uint64_t{sign}) << n;
  t.set<T>(i.d, static_cast<T>(result));
}

/// d, a into b, position, length.
template <class T>
void run_insert(Thread& t, const Instruction& i) {
  const T a = t.get<T>(i.a);
  T result = t.get<T>(i.b);
  const uint32_t position = t.get<uint32_t>(i.c) & 255, length = t.get<uint32_t>(i.more[0]) & 255;
  for (uint32_t n = 0; n < length && position + n < 8 * sizeof(T); ++n) {
    const T bit = T{1} << (position + n);
    result = static_cast<T>((a >> n) & 1 ? result | bit : result & ~bit);
  }
  t.set<T>(i.d, result);
}

void decode_bfe(Decoding& d) {
  const Type type = d.take_type();
  d.out.run =
      for_type<Type::u32, Type::u64, Type::s32, Type::s64>(d, type, []<class T>(std::type_identity<T>) -> Run { return run_extract<T>; });
  d.out.d = d.destination(0, type), d.out.a = d.source(1, type), d.out.b = d.source(2, Type::u32), d.out.c = d.source(3, Type::u32);
}

void decode_bfi(Decoding& d) {
  const Type type = d.take_type();
  d.out.run = for_type<Type::b32, Type::b64>(d, type, []<class T>(std::type_identity<T>) -> Run { return run_insert<T>; });
  d.out.d = d.destination(0, type), d.out.a = d.source(1, type), d.out.b = d.source(2, type);
  d.out.c = d.source(3, Type::u32), d.out.more = {d.source(4, Type::u32)};
}

constexpr auto ones = [](auto a) { return std::popcount(a); };
constexpr auto leading_zeros = [](auto a) { return std::countl_zero(a); };
/// The highest bit that differs from the sign; all ones if there is none.
constexpr auto highest = []<class T>(T a) -> uint32_t {
  if (std::is_signed_v<T> && a < 0) a = static_cast<T>(~a);
  return static_cast<uint32_t>(std::bit_width(static_cast<std::make_unsigned_t<T>>(a))) - 1;
};
constexpr auto shift_to_highest = []<class T>(T a) -> uint32_t {
  const uint32_t bit = highest(a);
  return bit == UINT32_MAX ? bit : static_cast<uint32_t>(8 * sizeof(T)) - 1 - bit;
};
constexpr auto reversed = []<class T>(T a) {
  T result = 0;
  for (unsigned n = 0; n < 8 * sizeof(T); ++n) result = static_cast<T>(result | ((a >> n) & 1) << (8 * sizeof(T) - 1 - n));
  return result;
};

/// The result is 32 bits wide whatever the operand is.
template <class T, auto f>
void run_count(Thread& t, const Instruction& i) {
  t.set<uint32_t>(i.d, static_cast<uint32_t>(f(t.get<T>(i.a))));
}

template <auto f, Type... accepted>
void decode_count(Decoding& d) {
  const Type type = d.take_type();
  d.out.run = for_type<accepted...>(d, type, []<class T>(std::type_identity<T>) -> Run { return run_count<T, f>; });
  d.out.d = d.destination(0, Type::u32), d.out.a = d.source(1, type);
}

void decode_bfind(Decoding& d) {
  if (d.take("shiftamt")) decode_count<shift_to_highest, Type::u32, Type::u64, Type::s32, Type::s64>(d);
  else decode_count<highest, Type::u32, Type::u64, Type::s32, Type::s64>(d);
}

/// Which of the eight bytes of (b, a) becomes byte n, in each mode; bit 3 asks for its sign alone.
constexpr uint32_t chosen_byte(int64_t mode, uint32_t control, uint32_t n) {
  const uint32_t c = control & 3;
  switch (mode) {
    case 0: return c + n;                  // f4e
    case 1: return (c - n) & 7;            // b4e
    case 2: return c;                      // rc8
    case 3: return std::max(c, n);         // ecl
    case 4: return std::min(c, n);         // ecr
    case 5: return (c & 1) * 2 + (n & 1);  // rc16
    default: return (control >> (4 * n)) & 15;
  }
}

void run_permute(Thread& t, const Instruction& i) {
  const uint64_t bytes = uint64_t{t.get<uint32_t>(i.b)} << 32 | t.get<uint32_t>(i.a);
  const uint32_t control = t.get<uint32_t>(i.c);
  uint32_t result = 0;
  for (uint32_t n = 0; n < 4; ++n) {
    const uint32_t chosen = chosen_byte(i.number, control, n);
    uint32_t byte = (bytes >> (8 * (chosen & 7))) & 255;
    if (chosen & 8) byte = byte & 128 ? 255 : 0;
    result |= byte << (8 * n);
  }
  t.set<uint32_t>(i.d, result);
}

void decode_prmt(Decoding& d) {
  if (!d.take("b32")) d.refuse("prmt is of .b32");
  d.out.number = d.take_one_of({"f4e", "b4e", "rc8", "ecl", "ecr", "rc16"});
  d.out.run = run_permute;
  d.out.d = d.destination(0, Type::b32), d.out.a = d.source(1, Type::b32), d.out.b = d.source(2, Type::b32),
  d.out.c = d.source(3, Type::b32);
}

/// `number` has the result for each of the eight triples of bits.
void run_lop3(Thread& t, const Instruction& i) {
  const uint32_t a = t.get<uint32_t>(i.a), b = t.get<uint32_t>(i.b), c = t.get<uint32_t>(i.c);
  uint32_t result = 0;
  for (unsigned triple = 0; triple < 8; ++triple)
    if ((i.number >> triple) & 1) result |= (triple & 4 ? a : ~a) & (triple & 2 ? b : ~b) & (triple & 1 ? c : ~c);
  t.set<uint32_t>(i.d, result);
}

void decode_lop3(Decoding& d) {
  if (!d.take("b32")) d.refuse("lop3 is of .b32");
  d.out.run = run_lop3;
  d.out.d = d.destination(0, Type::b32), d.out.a = d.source(1, Type::b32), d.out.b = d.source(2, Type::b32),
  d.out.c = d.source(3, Type::b32);
  d.out.number = d.whole_number(4);
  if (d.out.number < 0 || d.out.number > 255) d.refuse("a table of 8 bits is missing");
}

template <bool left, bool clamps>
void run_funnel(Thread& t, const Instruction& i) {
  const uint64_t both = uint64_t{t.get<uint32_t>(i.b)} << 32 | t.get<uint32_t>(i.a);
  const uint32_t c = t.get<uint32_t>(i.c), n = clamps ? std::min(c, 32u) : c & 31;
  t.set<uint32_t>(i.d, static_cast<uint32_t>(left ? (both << n) >> 32 : both >> n));
}

void decode_shf(Decoding& d) {
  const int side = d.take_one_of({"l", "r"}), mode = d.take_one_of({"clamp", "wrap"});
  if (side < 0 || mode < 0 || !d.take("b32")) d.refuse("shf is .l or .r, .clamp or .wrap, and of .b32");
  static constexpr Run runs[2][2] = {{run_funnel<true, true>, run_funnel<true, false>},
                                     {run_funnel<false, true>, run_funnel<false, false>}};
  d.out.run = runs[side][mode];
  d.out.d = d.destination(0, Type::b32), d.out.a = d.source(1, Type::b32), d.out.b = d.source(2, Type::b32),
  d.out.c = d.source(3, Type::u32);
}

}  // namespace

void add_bit_opcodes(Opcodes& opcodes) {
  opcodes["and"] = [](Decoding& d) { decode_binary<conjunction, WEFT_LOGIC>(d, d.take_type()); };
  opcodes["or"] = [](Decoding& d) { decode_binary<disjunction, WEFT_LOGIC>(d, d.take_type()); };
  opcodes["xor"] = [](Decoding& d) { decode_binary<difference, WEFT_LOGIC>(d, d.take_type()); };
  opcodes["not"] = [](Decoding& d) { decode_unary<complement, WEFT_LOGIC>(d, d.take_type()); };
  opcodes["cnot"] = [](Decoding& d) { decode_unary<is_zero, Type::b16, Type::b32, Type::b64>(d, d.take_type()); };
  opcodes["shl"] = decode_shift<shifted_left, Type::b16, Type::b32, Type::b64>;
  opcodes["shr"] =
      decode_shift<shifted_right, Type::b16, Type::b32, Type::b64, Type::u16, Type::u32, Type::u64, Type::s16, Type::s32, Type::s64>;
  opcodes["bfe"] = decode_bfe;
  opcodes["bfi"] = decode_bfi;
  opcodes["bfind"] = decode_bfind;
  opcodes["popc"] = decode_count<ones, Type::b32, Type::b64>;
  opcodes["clz"] = decode_count<leading_zeros, Type::b32, Type::b64>;
  opcodes["brev"] = [](Decoding& d) { decode_unary<reversed, Type::b32, Type::b64>(d, d.take_type()); };
  opcodes["prmt"] = decode_prmt;
  opcodes["lop3"] = decode_lop3;
  opcodes["shf"] = decode_shf;
}

}  // namespace weft::test::ptx
