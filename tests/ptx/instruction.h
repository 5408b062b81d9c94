#pragma once
// Kernels as they are executed: registers are numbers of slots, numbers in the text are slots too, opcodes are functions.

#include <cstdint>
#include <string>
#include <vector>

#include "weft/tests/ptx/fault.h"
#include "weft/tests/ptx/rounding.h"
#include "weft/tests/ptx/syntax.h"
#include "weft/tests/ptx/types.h"

namespace weft::test::ptx {

class Thread;
class Group;
struct Instruction;

/// What an instruction does to the thread that executes it.
using Run = void (*)(Thread&, const Instruction&);
/// What one does to all lanes that come together for it.
using RunTogether = void (*)(const Group&, const Instruction&);

struct Instruction {
  static constexpr uint32_t none = UINT32_MAX;

  Run run = nullptr;
  uint32_t guard = none;  // a predicate's slot
  bool guard_negated = false;
  bool negated = false;  // the predicate in `c`
  bool saturates = false;
  bool is_constant = false;  // a load of what the launch does not write
  Rounding rounding = Rounding::nearest;
  Type type = Type::b32, source_type = Type::b32;
  Space space = Space::generic;
  uint8_t width = 0;  // of the destination register, in bytes
  uint32_t d = none;  // the destination
  uint32_t a = none, b = none, c = none;
  int64_t number = 0;          // an offset, a barrier, a table of bits: what the opcode makes of it
  uint32_t target = none;      // the instruction that a branch goes to
  mutable uint32_t hint = 0;   // the allocation that it accessed last
  std::vector<uint32_t> more;  // further registers: of a vector, of a matrix
  RunTogether together = nullptr;
  uint32_t mask = none;  // the slot that names the lanes; none: all of the warp
  const Statement* source = nullptr;
};

/// A register that the machine sets.
enum class Special : uint8_t {
  tid_x,
  tid_y,
  tid_z,
  ntid_x,
  ntid_y,
  ntid_z,
  ctaid_x,
  ctaid_y,
  ctaid_z,
  nctaid_x,
  nctaid_y,
  nctaid_z,
  laneid,
  warpid,
  nwarpid,
  lanemask_eq,
  lanemask_le,
  lanemask_lt,
  lanemask_ge,
  lanemask_gt,
  total_smem_size,
  dynamic_smem_size
};

struct Kernel {
  const Entry* entry = nullptr;
  std::vector<Instruction> code;
  uint32_t registers = 0;          // the first slots: those that start unwritten
  std::vector<std::string> names;  // of these
  std::vector<std::pair<Special, uint32_t>> specials;
  std::vector<std::pair<uint64_t, uint32_t>> constants;
  uint32_t slots = 0;
  uint64_t param_bytes = 0, static_shared_bytes = 0, local_bytes = 0;
};

/// Where each space starts in its own addresses, and where these are in generic ones; global addresses are generic as they are.
/// The starts differ, so that an address of one space is none of another.
inline constexpr uint64_t shared_base = 0x01000000, local_base = 0x02000000, param_base = 0x03000000, const_base = 0x04000000;
inline constexpr uint64_t generic_window = uint64_t{0x7f} << 40;

}  // namespace weft::test::ptx
