// mov, with packing and unpacking.

#include "weft/tests/ptx/handlers.h"

namespace weft::test::ptx {
namespace {

template <class T>
void run_mov(Thread& t, const Instruction& i) {
  t.set<T>(i.d, t.get<T>(i.a));
}

/// `width` is that of a part.
void run_pack(Thread& t, const Instruction& i) {
  uint64_t whole = 0;
  for (size_t n = 0; n < i.more.size(); ++n) whole |= t.get<uint64_t>(i.more[n]) << (8 * i.width * n);
  t.set<uint64_t>(i.d, whole);
}
void run_unpack(Thread& t, const Instruction& i) {
  const uint64_t whole = t.get<uint64_t>(i.a), mask = (uint64_t{1} << (8 * i.width)) - 1;
  for (size_t n = 0; n < i.more.size(); ++n) t.set<uint64_t>(i.more[n], (whole >> (8 * i.width * n)) & mask);
}

Type part_type(const Decoding& d, Type whole, size_t parts) {
  if (whole == Type::b64 && parts == 2) return Type::b32;
  if ((whole == Type::b64 && parts == 4) || (whole == Type::b32 && parts == 2)) return Type::b16;
  d.refuse("so many parts do not make the type");
}

void decode_vector_mov(Decoding& d, Type type, bool packs) {
  const Operand& vector = d.operand(packs ? 1 : 0);
  const Type part = part_type(d, type, vector.parts.size());
  for (const Operand& p : vector.parts) d.out.more.push_back(packs ? d.source(p, part) : d.destination(p, part));
  if (packs) d.out.d = d.destination(0, type);
  else d.out.a = d.source(1, type);
  d.out.run = packs ? run_pack : run_unpack;
  d.out.width = static_cast<uint8_t>(bytes_of(part));
}

void decode_mov(Decoding& d) {
  const Type type = d.take_type();
  if (d.operand(0).kind == Operand::Kind::vector) return decode_vector_mov(d, type, false);
  if (d.operand(1).kind == Operand::Kind::vector) return decode_vector_mov(d, type, true);
  if (bytes_of(type) == 1 && type != Type::pred) d.refuse("no register has one byte");
  d.out.run = type == Type::pred    ? run_mov<bool>
              : bytes_of(type) == 2 ? run_mov<uint16_t>
              : bytes_of(type) == 4 ? run_mov<uint32_t>
                                    : run_mov<uint64_t>;
  d.out.d = d.destination(0, type);
  if (const auto address = d.address_of(d.operand(1))) {
    if (bytes_of(type) < 4 || (bytes_of(type) == 4 && *address > UINT32_MAX)) d.refuse("the type does not hold the address");
    d.out.a = d.names().constant(*address);
  } else {
    d.out.a = d.source(1, type);
  }
}

}  // namespace

void add_move_opcodes(Opcodes& opcodes) { opcodes["mov"] = decode_mov; }

}  // namespace weft::test::ptx
