// ld, st, and fences, which change nothing where threads run one after the other: what they order is not followed (races.h).

#include "weft/tests/ptx/handlers.h"

namespace weft::test::ptx {
namespace {

uint64_t address_of(Thread& t, const Instruction& i) { return t.get<uint64_t>(i.a) + static_cast<uint64_t>(i.number); }

uint64_t low_bytes(uint64_t bits, unsigned bytes) { return bytes == 8 ? bits : bits & ((uint64_t{1} << (8 * bytes)) - 1); }

/// Extended to the register's width as the type says.
template <class T>
uint64_t loaded(const std::byte* from, unsigned width) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return low_bytes(static_cast<uint64_t>(value), width);
}

Use use_of(const Instruction& i) { return i.is_constant ? Use::read_constant : Use::read; }

template <class T>
void run_load(Thread& t, const Instruction& i) {
  const std::byte* from = t.access(i.space, address_of(t, i), sizeof(T), use_of(i), i.hint);
  t.set<uint64_t>(i.d, loaded<T>(from, i.width));
}
template <class T>
void run_vector_load(Thread& t, const Instruction& i) {
  const std::byte* from = t.access(i.space, address_of(t, i), static_cast<unsigned>(sizeof(T) * i.more.size()), use_of(i), i.hint);
  for (size_t n = 0; n < i.more.size(); ++n) t.set<uint64_t>(i.more[n], loaded<T>(from + sizeof(T) * n, i.width));
}

template <class T>
void run_store(Thread& t, const Instruction& i) {
  const T value = t.get<T>(i.b);
  std::memcpy(t.access(i.space, address_of(t, i), sizeof(T), Use::write, i.hint), &value, sizeof value);
}
template <class T>
void run_vector_store(Thread& t, const Instruction& i) {
  T values[4];
  for (size_t n = 0; n < i.more.size(); ++n) values[n] = t.get<T>(i.more[n]);
  const auto bytes = static_cast<unsigned>(sizeof(T) * i.more.size());
  std::memcpy(t.access(i.space, address_of(t, i), bytes, Use::write, i.hint), values, bytes);
}

/// How it is ordered, where, through which caches. None of it changes what a single thread sees.
void take_ordering(Decoding& d, bool is_load) {
  const int ordering = d.take_one_of({"weak", "volatile", "relaxed", is_load ? "acquire" : "release"});
  if (ordering >= 2 && d.take_one_of({"cta", "cluster", "gpu", "sys"}) < 0) d.refuse("the scope is missing");
  const int space = d.take_one_of({"global", "shared", "shared::cta", "local", "param", "param::entry", "const"});
  static constexpr Space spaces[] = {Space::global, Space::shared, Space::shared,  Space::local,
                                     Space::param,  Space::param,  Space::constant};
  if (space >= 0) d.out.space = spaces[space];
  d.take_one_of({"ca", "cg", "cs", is_load ? "lu" : "wb", is_load ? "cv" : "wt"});
  d.out.is_constant = is_load && d.take("nc");
  if (d.out.is_constant && d.out.space != Space::global) d.refuse(".nc is of global memory");
  d.take_one_of({"L1::evict_normal", "L1::evict_unchanged", "L1::evict_first", "L1::evict_last", "L1::no_allocate"});
  if (is_load) d.take_one_of({"L2::64B", "L2::128B", "L2::256B"});
}

size_t take_vector(Decoding& d) { return d.take("v2") ? 2 : d.take("v4") ? 4 : 1; }

const std::vector<Operand>& parts_of(Decoding& d, size_t number, size_t parts) {
  const Operand& o = d.operand(number);
  if (o.kind != Operand::Kind::vector || o.parts.size() != parts)
    d.refuse("a vector of " + std::to_string(parts) + " registers is missing");
  return o.parts;
}

#define WEFT_IN_MEMORY \
  Type::b8, Type::b16, Type::b32, Type::b64, Type::u8, Type::u16, Type::u32, Type::u64, Type::s8, Type::s16, Type::s32, Type::s64

/// Floating numbers are bits here.
Type in_memory(Type type) { return type == Type::f32 ? Type::b32 : type == Type::f64 ? Type::b64 : type; }

void decode_ld(Decoding& d) {
  take_ordering(d, true);
  const size_t parts = take_vector(d);
  const Type type = d.take_type();
  d.out.run = for_type<WEFT_IN_MEMORY>(
      d, in_memory(type), [&]<class T>(std::type_identity<T>) -> Run { return parts == 1 ? run_load<T> : run_vector_load<T>; });
  if (parts * bytes_of(type) > 16) d.refuse("a vector of more than 16 bytes");
  d.address(1);
  if (parts == 1) {
    d.out.d = d.wide_destination(d.operand(0), type);
    return;
  }
  uint8_t width = 0;  // that of a sink is not asked for
  for (const Operand& p : parts_of(d, 0, parts)) {
    d.out.width = 8;
    d.out.more.push_back(d.wide_destination(p, type));
    if (p.kind == Operand::Kind::sink) continue;
    if (width != 0 && width != d.out.width) d.refuse("registers of several widths");
    width = d.out.width;
  }
  d.out.width = width == 0 ? 8 : width;
}

void decode_st(Decoding& d) {
  take_ordering(d, false);
  const size_t parts = take_vector(d);
  const Type type = d.take_type();
  d.out.run = for_type<WEFT_IN_MEMORY>(
      d, in_memory(type), [&]<class T>(std::type_identity<T>) -> Run { return parts == 1 ? run_store<T> : run_vector_store<T>; });
  if (parts * bytes_of(type) > 16) d.refuse("a vector of more than 16 bytes");
  d.address(0);
  if (parts == 1) d.out.b = d.wide_source(d.operand(1), type);
  else
    for (const Operand& p : parts_of(d, 1, parts)) d.out.more.push_back(d.wide_source(p, type));
}

void run_nothing(Thread&, const Instruction&) {}

void decode_membar(Decoding& d) {
  if (d.take_one_of({"cta", "gl", "sys"}) < 0) d.refuse("the scope is missing");
  d.out.run = run_nothing;
}

void decode_fence(Decoding& d) {
  d.take_one_of({"sc", "acq_rel"});
  if (d.take_one_of({"cta", "cluster", "gpu", "sys"}) < 0) d.refuse("the scope is missing");
  d.out.run = run_nothing;
}

}  // namespace

void add_memory_opcodes(Opcodes& opcodes) {
  opcodes["ld"] = decode_ld;
  opcodes["st"] = decode_st;
  opcodes["membar"] = decode_membar;
  opcodes["fence"] = decode_fence;
}

}  // namespace weft::test::ptx
