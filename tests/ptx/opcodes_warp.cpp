// What the lanes of a warp do together: shfl, vote, match, redux; and activemask, for which a lane is alone, since lanes run one by one.

#include <algorithm>

#include "weft/tests/ptx/block.h"
#include "weft/tests/ptx/handlers.h"

namespace weft::test::ptx {
namespace {

void run_wait(Thread& t, const Instruction&) { t.stop(Thread::State::at_warp); }

/// The values are read before any lane is written, for a register may be both.
template <class T>
std::array<T, 32> values_of(const Group& group, uint32_t slot) {
  std::array<T, 32> values{};
  group.each([&](uint32_t n, Thread& t) { values[n] = t.get<T>(slot); });
  return values;
}

uint32_t lanes_of(const Group& group) {
  uint32_t lanes = 0;
  group.each([&](uint32_t n, Thread&) { lanes |= 1u << n; });
  return lanes;
}

enum class Shuffle { up, down, bfly, idx };

/// Which lane's value a lane gets, and whether it lies in range; c holds the segment's mask and the highest lane of it.
std::pair<uint32_t, bool> shuffled(Shuffle mode, uint32_t lane, uint32_t b, uint32_t c) {
  const uint32_t segment = (c >> 8) & 31, clamp = c & 31, by = b & 31;
  const auto highest = static_cast<int32_t>((lane & segment) | (clamp & ~segment));
  const auto lowest = static_cast<int32_t>(lane & segment);
  int32_t from = static_cast<int32_t>(lane);
  switch (mode) {
    case Shuffle::up: from -= static_cast<int32_t>(by); break;
    case Shuffle::down: from += static_cast<int32_t>(by); break;
    case Shuffle::bfly: from ^= static_cast<int32_t>(by); break;
    case Shuffle::idx: from = lowest | static_cast<int32_t>(by & ~segment); break;
  }
  const bool in_range = mode == Shuffle::up ? from >= highest : from <= highest;
  return {in_range ? static_cast<uint32_t>(from) : lane, in_range};
}

void shuffle(const Group& group, const Instruction& i) {
  const auto values = values_of<uint32_t>(group, i.a);
  group.each([&](uint32_t n, Thread& t) {
    const auto [from, in_range] = shuffled(static_cast<Shuffle>(i.number), n, t.get<uint32_t>(i.b), t.get<uint32_t>(i.c));
    group.lane(from);  // takes part
    t.set<uint32_t>(i.d, values[from]);
    if (!i.more.empty()) t.set<bool>(i.more[0], in_range);
  });
}

/// d, or d|p.
void decode_destination(Decoding& d, Type type) {
  const Operand& to = d.operand(0);
  const bool is_pair = to.kind == Operand::Kind::pair;
  d.out.d = d.destination(is_pair ? to.parts[0] : to, type);
  if (is_pair) d.out.more = {d.destination(to.parts[1], Type::pred)};
}

void require_sync(Decoding& d) {
  if (!d.take("sync")) d.refuse("only the form with .sync is defined");
  d.out.run = run_wait;
}

void decode_shfl(Decoding& d) {
  require_sync(d);
  d.out.number = d.take_one_of({"up", "down", "bfly", "idx"});
  if (d.out.number < 0 || !d.take("b32")) d.refuse("shfl is .up, .down, .bfly or .idx, and of .b32");
  d.out.together = shuffle;
  decode_destination(d, Type::b32);
  d.out.a = d.source(1, Type::b32), d.out.b = d.source(2, Type::b32), d.out.c = d.source(3, Type::b32);
  d.out.mask = d.source(4, Type::b32);
}

uint32_t true_lanes(const Group& group, const Instruction& i) {
  uint32_t lanes = 0;
  group.each([&](uint32_t n, Thread& t) { lanes |= static_cast<uint32_t>(t.get<bool>(i.c) != i.negated) << n; });
  return lanes;
}

enum Vote { all, any, uniform, ballot };

void vote(const Group& group, const Instruction& i) {
  const uint32_t yes = true_lanes(group, i), lanes = lanes_of(group);
  group.each([&](uint32_t, Thread& t) {
    switch (i.number) {
      case all: return t.set<bool>(i.d, yes == lanes);
      case any: return t.set<bool>(i.d, yes != 0);
      case uniform: return t.set<bool>(i.d, yes == 0 || yes == lanes);
      default: return t.set<uint32_t>(i.d, yes);
    }
  });
}

void decode_vote(Decoding& d) {
  require_sync(d);
  d.out.number = d.take_one_of({"all", "any", "uni", "ballot"});
  const Type type = d.take_type();
  if (d.out.number < 0 || type != (d.out.number == ballot ? Type::b32 : Type::pred))
    d.refuse("vote is .all, .any or .uni of .pred, or .ballot of .b32");
  d.out.together = vote;
  d.out.d = d.destination(0, type), d.out.c = d.predicate(1), d.out.mask = d.source(2, Type::b32);
}

template <class T>
void match_any(const Group& group, const Instruction& i) {
  const auto values = values_of<T>(group, i.a);
  group.each([&](uint32_t n, Thread& t) {
    uint32_t same = 0;
    group.each([&](uint32_t m, Thread&) { same |= static_cast<uint32_t>(values[m] == values[n]) << m; });
    t.set<uint32_t>(i.d, same);
  });
}
template <class T>
void match_all(const Group& group, const Instruction& i) {
  const auto values = values_of<T>(group, i.a);
  const uint32_t lanes = lanes_of(group);
  bool equal = true;
  group.each([&](uint32_t n, Thread&) { equal = equal && values[n] == values[static_cast<size_t>(std::countr_zero(lanes))]; });
  group.each([&](uint32_t, Thread& t) {
    t.set<uint32_t>(i.d, equal ? lanes : 0);
    if (!i.more.empty()) t.set<bool>(i.more[0], equal);
  });
}

void decode_match(Decoding& d) {
  const int kind = d.take_one_of({"any", "all"});
  require_sync(d);
  const Type type = d.take_type();
  if (kind < 0) d.refuse("match is .any or .all");
  d.out.together = for_type<Type::b32, Type::b64>(
      d, type, [&]<class T>(std::type_identity<T>) -> RunTogether { return kind == 0 ? match_any<T> : match_all<T>; });
  if (kind == 0) d.out.d = d.destination(0, Type::b32);
  else decode_destination(d, Type::b32);
  d.out.a = d.source(1, type), d.out.mask = d.source(2, Type::b32);
}

template <class T, auto f>
void reduce(const Group& group, const Instruction& i) {
  const auto values = values_of<T>(group, i.a);
  std::optional<T> result;
  group.each([&](uint32_t n, Thread&) { result = result ? static_cast<T>(f(*result, values[n])) : values[n]; });
  group.each([&](uint32_t, Thread& t) { t.set<T>(i.d, *result); });
}

template <auto f, Type... accepted>
void decode_reduction(Decoding& d) {
  const Type type = d.take_type();
  d.out.together = for_type<accepted...>(d, type, []<class T>(std::type_identity<T>) -> RunTogether { return reduce<T, f>; });
  d.out.d = d.destination(0, type), d.out.a = d.source(1, type), d.out.mask = d.source(2, Type::b32);
}

void decode_redux(Decoding& d) {
  require_sync(d);
  switch (d.take_one_of({"add", "min", "max", "and", "or", "xor"})) {
    case 0:
      return decode_reduction<[](auto a, auto b) { return static_cast<uint32_t>(a) + static_cast<uint32_t>(b); }, Type::u32, Type::s32>(d);
    case 1: return decode_reduction<[](auto a, auto b) { return std::min(a, b); }, Type::u32, Type::s32>(d);
    case 2: return decode_reduction<[](auto a, auto b) { return std::max(a, b); }, Type::u32, Type::s32>(d);
    case 3: return decode_reduction<[](auto a, auto b) { return a & b; }, Type::b32>(d);
    case 4: return decode_reduction<[](auto a, auto b) { return a | b; }, Type::b32>(d);
    case 5: return decode_reduction<[](auto a, auto b) { return a ^ b; }, Type::b32>(d);
    default: d.refuse("an unknown reduction");
  }
}

void decode_activemask(Decoding& d) {
  if (!d.take("b32")) d.refuse("activemask is of .b32");
  d.out.d = d.destination(0, Type::b32);
  d.out.run = [](Thread& t, const Instruction& i) { t.set<uint32_t>(i.d, 1u << t.number % 32); };
}

}  // namespace

void add_warp_opcodes(Opcodes& opcodes) {
  opcodes["shfl"] = decode_shfl;
  opcodes["vote"] = decode_vote;
  opcodes["match"] = decode_match;
  opcodes["redux"] = decode_redux;
  opcodes["activemask"] = decode_activemask;
}

}  // namespace weft::test::ptx
