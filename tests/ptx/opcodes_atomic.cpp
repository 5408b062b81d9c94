// atom and red.

#include <algorithm>

#include "weft/tests/ptx/handlers.h"

namespace weft::test::ptx {
namespace {

constexpr auto sum = []<class T>(T old, T b) -> T {
  if constexpr (is_half<T>) return add(old, b);
  else if constexpr (is_pair<T>) return {add(old.low, b.low), add(old.high, b.high)};
  else if constexpr (std::is_integral_v<T>) return static_cast<T>(static_cast<uint64_t>(old) + static_cast<uint64_t>(b));
  else return old + b;
};
constexpr auto smaller = [](auto old, auto b) { return std::min(old, b); };
constexpr auto larger = [](auto old, auto b) { return std::max(old, b); };
constexpr auto exchanged = [](auto, auto b) { return b; };
constexpr auto conjunction = [](auto old, auto b) { return old & b; };
constexpr auto disjunction = [](auto old, auto b) { return old | b; };
constexpr auto difference = [](auto old, auto b) { return old ^ b; };
constexpr auto counted_up = [](uint32_t old, uint32_t b) { return old >= b ? 0 : old + 1; };
constexpr auto counted_down = [](uint32_t old, uint32_t b) { return old == 0 || old > b ? b : old - 1; };
/// Compare with b, and swap for c.
constexpr auto swapped = [](auto old, auto b, auto c) { return old == b ? c : old; };

template <class T, auto f, bool has_third>
void run_atomic(Thread& t, const Instruction& i) {
  const T b = t.get<T>(i.b);
  std::byte* at = t.access(i.space, t.get<uint64_t>(i.a) + static_cast<uint64_t>(i.number), sizeof(T), Use::atomic, i.hint);
  T old, result;
  std::memcpy(&old, at, sizeof old);
  if constexpr (has_third) result = f(old, b, t.get<T>(i.c));
  else result = static_cast<T>(f(old, b));
  std::memcpy(at, &result, sizeof result);
  if (i.d != Instruction::none) t.set<T>(i.d, old);
}

template <auto f, Type... accepted>
void decode_update(Decoding& d, bool gives_old, bool has_third = false) {
  const Type type = d.take_type();
  d.out.run = for_type<accepted...>(d, type, [&]<class T>(std::type_identity<T>) -> Run {
    if constexpr (std::is_invocable_v<decltype(f), T, T, T>) return run_atomic<T, f, true>;
    else return run_atomic<T, f, false>;
  });
  const size_t first = gives_old ? 1 : 0;
  if (gives_old) d.out.d = d.destination(0, type);
  d.address(first);
  d.out.b = d.source(first + 1, type);
  if (has_third) d.out.c = d.source(first + 2, type);
}

void decode_atomic(Decoding& d, bool gives_old) {
  d.take_one_of({"relaxed", "acquire", "release", "acq_rel"});
  d.take_one_of({"cta", "cluster", "gpu", "sys"});
  if (d.take("global")) d.out.space = Space::global;
  else if (d.take("shared") || d.take("shared::cta")) d.out.space = Space::shared;
  switch (d.take_one_of({"add", "min", "max", "exch", "cas", "inc", "dec", "and", "or", "xor"})) {
    case 0:
      if (d.take("noftz")) return decode_update<sum, Type::f16, Type::bf16, Type::f16x2, Type::bf16x2>(d, gives_old);
      return decode_update<sum, Type::u32, Type::s32, Type::u64, Type::f32, Type::f64>(d, gives_old);
    case 1: return decode_update<smaller, Type::u32, Type::s32, Type::u64, Type::s64>(d, gives_old);
    case 2: return decode_update<larger, Type::u32, Type::s32, Type::u64, Type::s64>(d, gives_old);
    case 3:
      if (!gives_old) d.refuse("red does not exchange");
      return decode_update<exchanged, Type::b32, Type::b64>(d, gives_old);
    case 4:
      if (!gives_old) d.refuse("red does not exchange");
      return decode_update<swapped, Type::b16, Type::b32, Type::b64>(d, gives_old, true);
    case 5: return decode_update<counted_up, Type::u32>(d, gives_old);
    case 6: return decode_update<counted_down, Type::u32>(d, gives_old);
    case 7: return decode_update<conjunction, Type::b32, Type::b64>(d, gives_old);
    case 8: return decode_update<disjunction, Type::b32, Type::b64>(d, gives_old);
    case 9: return decode_update<difference, Type::b32, Type::b64>(d, gives_old);
    default: d.refuse("an unknown operation");
  }
}

}  // namespace

void add_atomic_opcodes(Opcodes& opcodes) {
  opcodes["atom"] = [](Decoding& d) { decode_atomic(d, true); };
  opcodes["red"] = [](Decoding& d) { decode_atomic(d, false); };
}

}  // namespace weft::test::ptx
