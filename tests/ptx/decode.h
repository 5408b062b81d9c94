#pragma once
// From a statement to an instruction. Each opcode has a function that takes what it knows of the modifiers and operands; what is left
// over when it returns is refused, so that nothing in a text goes unheeded.

#include <map>
#include <string_view>
#include <type_traits>
#include <utility>

#include "weft/tests/ptx/instruction.h"
#include "weft/tests/ptx/thread.h"

namespace weft::test::ptx {

/// The names that a kernel's statements may use.
class Names {
 public:
  /// `addresses`: of the file's variables, but for those in shared memory, which each kernel that names them has its own of.
  Names(Kernel& kernel, const Text& text, const std::map<std::string, uint64_t>& addresses);

  struct Register {
    uint32_t slot;
    Type type;
  };
  const Register* find_register(std::string_view name) const;
  std::optional<uint64_t> find_address(std::string_view name) const;
  std::optional<uint32_t> find_label(std::string_view name) const;
  /// A slot that the machine fills; nothing for an unknown name.
  std::optional<uint32_t> special(std::string_view name);
  uint32_t constant(uint64_t bits);
  /// What nobody reads.
  uint32_t sink();

 private:
  void add_variables(const std::vector<Variable>& variables, Space space, uint64_t base, uint64_t& bytes);
  uint32_t add_slot() { return kernel_.slots++; }

  Kernel& kernel_;
  std::map<std::string, Register, std::less<>> registers_;
  std::map<std::string, uint64_t, std::less<>> addresses_;
  std::map<std::string, uint32_t, std::less<>> specials_;
  std::map<uint64_t, uint32_t> constants_;
  uint32_t sink_ = Instruction::none;
};

class Decoding {
 public:
  Decoding(const Statement& statement, Names& names) : names_(names), statement_(statement) {
    used_.resize(statement.operands.size());
    out.source = &statement;
  }

  Instruction out;

  [[noreturn]] void refuse(const std::string& why) const;

  // modifiers, from left to right

  /// Is the next modifier this one? Then it is taken.
  bool take(std::string_view modifier);
  /// Takes the next one if it is in the list; its number, or -1.
  int take_one_of(std::initializer_list<std::string_view> modifiers);
  Type take_type();
  std::optional<Rounding> take_rounding();
  std::string_view last_modifier() const {
    return statement_.modifiers.empty() ? std::string_view() : std::string_view(statement_.modifiers.back());
  }
  bool has_modifier() const { return next_ < statement_.modifiers.size(); }

  // operands

  size_t operands() const { return statement_.operands.size(); }
  const Operand& operand(size_t number);

  /// The slot of a register that an instruction of the type writes, or reads; a number becomes a slot too.
  uint32_t destination(size_t number, Type type) { return destination(operand(number), type); }
  uint32_t source(size_t number, Type type) { return source(operand(number), type); }
  uint32_t destination(const Operand& operand, Type type) { return register_slot(operand, type, false); }
  uint32_t source(const Operand& operand, Type type);
  /// Where the register may be wider than the type: loads, stores, conversions. `out.width` becomes the register's.
  uint32_t wide_destination(const Operand& operand, Type type) { return register_slot(operand, type, true); }
  uint32_t wide_source(const Operand& operand, Type type);
  /// A predicate that may be negated: `out.negated`.
  uint32_t predicate(size_t number);
  /// [a + number]: `out.a` and `out.number`.
  void address(size_t number);
  int64_t whole_number(size_t number);
  uint32_t label(size_t number);

  /// Everything must have been taken.
  void finish() const;

  /// An operand that stands for an address: a variable and an offset.
  std::optional<uint64_t> address_of(const Operand& operand) const;
  Names& names() { return names_; }

 private:
  uint32_t register_slot(const Operand& operand, Type type, bool may_be_wider);
  uint64_t bits_of(const Operand& operand, Type type) const;

  Names& names_;
  const Statement& statement_;
  size_t next_ = 0;
  std::vector<bool> used_;
};

using Decode = void (*)(Decoding&);
using Opcodes = std::map<std::string_view, Decode>;

// Each family's opcodes.
void add_integer_opcodes(Opcodes& opcodes);
void add_bit_opcodes(Opcodes& opcodes);
void add_float_opcodes(Opcodes& opcodes);
void add_comparison_opcodes(Opcodes& opcodes);
void add_conversion_opcodes(Opcodes& opcodes);
void add_move_opcodes(Opcodes& opcodes);
void add_memory_opcodes(Opcodes& opcodes);
void add_atomic_opcodes(Opcodes& opcodes);
void add_control_opcodes(Opcodes& opcodes);
void add_warp_opcodes(Opcodes& opcodes);
void add_matrix_opcodes(Opcodes& opcodes);

/// The kernel as it is executed; the text, whose `entry` it is, must live as long. Throws Fault (Check::text).
Kernel decode(const Entry& entry, const Text& text, const std::map<std::string, uint64_t>& addresses);

}  // namespace weft::test::ptx
