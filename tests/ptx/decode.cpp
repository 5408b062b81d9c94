#include "weft/tests/ptx/decode.h"

#include <algorithm>

namespace weft::test::ptx {
namespace {

std::string where(int line, const std::string& text) { return "line " + std::to_string(line) + ", `" + text + "`"; }

constexpr std::string_view special_names[] = {
    "%tid.x",       "%tid.y",       "%tid.z",       "%ntid.x",      "%ntid.y",          "%ntid.z",           "%ctaid.x", "%ctaid.y",
    "%ctaid.z",     "%nctaid.x",    "%nctaid.y",    "%nctaid.z",    "%laneid",          "%warpid",           "%nwarpid", "%lanemask_eq",
    "%lanemask_le", "%lanemask_lt", "%lanemask_ge", "%lanemask_gt", "%total_smem_size", "%dynamic_smem_size"};

/// May an instruction of this type use a register of that one?
bool is_compatible(Type instruction, Type declared, bool may_be_wider) {
  if ((instruction == Type::pred) != (declared == Type::pred)) return false;
  const unsigned need = bytes_of(instruction), have = bytes_of(declared);
  if (instruction == Type::pred) return true;
  const bool both_whole = (is_integer(instruction) || is_bits(instruction)) && (is_integer(declared) || is_bits(declared));
  if (have != need) return may_be_wider && have > need && both_whole;
  return both_whole || is_bits(instruction) || is_bits(declared) || instruction == declared;
}

const Opcodes& opcodes() {
  static const Opcodes all = [] {
    Opcodes o;
    for (const auto add :
         {add_integer_opcodes, add_bit_opcodes, add_float_opcodes, add_comparison_opcodes, add_conversion_opcodes, add_move_opcodes,
          add_memory_opcodes, add_atomic_opcodes, add_control_opcodes, add_warp_opcodes, add_matrix_opcodes})
      add(o);
    return o;
  }();
  return all;
}

bool names(const std::vector<Operand>& operands, const std::string& name) {
  return std::any_of(operands.begin(), operands.end(), [&](const Operand& o) { return o.name == name || names(o.parts, name); });
}

/// The file's variables in shared memory that the kernel names; that whose size a launch says stands last.
std::vector<Variable> shared_of(const Text& text, const Entry& entry) {
  std::vector<Variable> all;
  for (const bool dynamic : {false, true})
    for (const Variable& v : text.variables)
      if (v.space == Space::shared && v.is_dynamic == dynamic &&
          std::any_of(entry.body.begin(), entry.body.end(), [&](const Statement& s) { return names(s.operands, v.name); }))
        all.push_back(v);
  return all;
}

}  // namespace

// names

Names::Names(Kernel& kernel, const Text& text, const std::map<std::string, uint64_t>& addresses) : kernel_(kernel) {
  const Entry& entry = *kernel.entry;
  addresses_.insert(addresses.begin(), addresses.end());
  add_variables(entry.params, Space::param, param_base, kernel.param_bytes);
  add_variables(entry.variables, Space::shared, shared_base, kernel.static_shared_bytes);
  add_variables(shared_of(text, entry), Space::shared, shared_base, kernel.static_shared_bytes);
  add_variables(entry.variables, Space::local, local_base, kernel.local_bytes);
  for (const Variable& v : entry.variables)
    if (v.space != Space::shared && v.space != Space::local)
      throw Fault(Check::text, "a variable of that space belongs outside of a kernel", where(v.line, v.name));
  for (const RegisterDeclaration& r : entry.registers) {
    if (!registers_.emplace(r.name, Register{add_slot(), r.type}).second)
      throw Fault(Check::text, "the register stands there twice", where(r.line, r.name));
    kernel.names.push_back(r.name);
  }
  kernel.registers = kernel.slots;
}

void Names::add_variables(const std::vector<Variable>& variables, Space space, uint64_t base, uint64_t& bytes) {
  for (const Variable& v : variables) {
    if (v.space != space) continue;
    if (v.alignment == 0 || (v.alignment & (v.alignment - 1)) != 0)
      throw Fault(Check::text, "an alignment that is no power of two", where(v.line, v.name));
    bytes = (bytes + v.alignment - 1) / v.alignment * v.alignment;
    if (!addresses_.emplace(v.name, base + bytes).second)
      throw Fault(Check::text, "the variable stands there twice", where(v.line, v.name));
    bytes += v.bytes;
  }
}

const Names::Register* Names::find_register(std::string_view name) const {
  const auto found = registers_.find(name);
  return found == registers_.end() ? nullptr : &found->second;
}

std::optional<uint64_t> Names::find_address(std::string_view name) const {
  const auto found = addresses_.find(name);
  return found == addresses_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<uint32_t> Names::find_label(std::string_view name) const {
  const auto found = kernel_.entry->labels.find(std::string(name));
  return found == kernel_.entry->labels.end() ? std::nullopt : std::optional(static_cast<uint32_t>(found->second));
}

std::optional<uint32_t> Names::special(std::string_view name) {
  if (const auto known = specials_.find(name); known != specials_.end()) return known->second;
  for (size_t i = 0; i < std::size(special_names); ++i) {
    if (special_names[i] != name) continue;
    const uint32_t slot = add_slot();
    kernel_.specials.emplace_back(static_cast<Special>(i), slot);
    return specials_.emplace(name, slot).first->second;
  }
  return std::nullopt;
}

uint32_t Names::constant(uint64_t bits) {
  const auto [at, is_new] = constants_.emplace(bits, kernel_.slots);
  if (is_new) kernel_.constants.emplace_back(bits, add_slot());
  return at->second;
}

uint32_t Names::sink() { return sink_ == Instruction::none ? sink_ = add_slot() : sink_; }

// one statement

void Decoding::refuse(const std::string& why) const { throw Fault(Check::text, why, where(statement_.line, statement_.text)); }

bool Decoding::take(std::string_view modifier) {
  if (!has_modifier() || statement_.modifiers[next_] != modifier) return false;
  ++next_;
  return true;
}

int Decoding::take_one_of(std::initializer_list<std::string_view> modifiers) {
  int number = 0;
  for (std::string_view m : modifiers) {
    if (take(m)) return number;
    ++number;
  }
  return -1;
}

Type Decoding::take_type() {
  const auto type = has_modifier() ? type_from_name(statement_.modifiers[next_]) : std::nullopt;
  if (!type) refuse(has_modifier() ? "the modifier ." + statement_.modifiers[next_] + " is unknown here" : "the type is missing");
  ++next_;
  return *type;
}

std::optional<Rounding> Decoding::take_rounding() {
  const int i = take_one_of({"rn", "rz", "rm", "rp"});
  return i < 0 ? std::nullopt : std::optional(static_cast<Rounding>(i));
}

const Operand& Decoding::operand(size_t number) {
  if (number >= statement_.operands.size()) refuse("too few operands");
  used_[number] = true;
  return statement_.operands[number];
}

uint32_t Decoding::register_slot(const Operand& operand, Type type, bool may_be_wider) {
  if (operand.kind == Operand::Kind::sink) return names_.sink();
  if (operand.kind != Operand::Kind::name || operand.negated || operand.bits != 0) refuse("an operand must be a register");
  const Names::Register* r = names_.find_register(operand.name);
  if (!r) refuse("there is no register '" + operand.name + "'");
  if (!is_compatible(type, r->type, may_be_wider))
    refuse("the register '" + operand.name + "' is of type ." + std::string(name_of(r->type)) + ", the instruction of ." +
           std::string(name_of(type)));
  out.width = static_cast<uint8_t>(bytes_of(r->type));
  return r->slot;
}

uint64_t Decoding::bits_of(const Operand& operand, Type type) const {
  const bool is_float = type == Type::f32 || type == Type::f64;
  const unsigned bits = bytes_of(type) * 8;
  switch (operand.kind) {
    case Operand::Kind::integer: {
      if (type == Type::pred) return operand.bits != 0;
      if (is_float || !(is_integer(type) || is_bits(type))) refuse("an integer where a number of another type belongs");
      const bool fits = bits == 64 || (operand.bits >= -(int64_t{1} << (bits - 1)) && operand.bits < (int64_t{1} << bits));
      if (!fits) refuse("the number " + std::to_string(operand.bits) + " is too large for ." + std::string(name_of(type)));
      return static_cast<uint64_t>(operand.bits) & (bits == 64 ? ~uint64_t{0} : (uint64_t{1} << bits) - 1);
    }
    case Operand::Kind::f32:
      if (type == Type::f64) return std::bit_cast<uint64_t>(static_cast<double>(from_bits<float>(static_cast<uint64_t>(operand.bits))));
      if (type != Type::f32 && type != Type::b32) refuse("a number of .f32 where one of another type belongs");
      return static_cast<uint64_t>(operand.bits);
    case Operand::Kind::f64:
      if (type == Type::f32) return std::bit_cast<uint32_t>(static_cast<float>(std::bit_cast<double>(operand.bits)));
      if (type != Type::f64 && type != Type::b64) refuse("a number of .f64 where one of another type belongs");
      return static_cast<uint64_t>(operand.bits);
    default: refuse("an operand that is no register and no number");
  }
}

std::optional<uint64_t> Decoding::address_of(const Operand& operand) const {
  if (operand.kind != Operand::Kind::name || operand.negated) return std::nullopt;
  const auto address = names_.find_address(operand.name);
  return address ? std::optional(*address + static_cast<uint64_t>(operand.bits)) : std::nullopt;
}

uint32_t Decoding::source(const Operand& operand, Type type) {
  if (operand.kind == Operand::Kind::sink) refuse("an operand is missing");
  if (operand.kind != Operand::Kind::name) return names_.constant(bits_of(operand, type));
  const bool takes_special = (statement_.opcode == "mov" || statement_.opcode == "cvt") && bytes_of(type) == 4;
  if (takes_special && operand.name[0] == '%' && !operand.negated && operand.bits == 0)
    if (const auto slot = names_.special(operand.name)) return *slot;
  if (operand.name == "WARP_SZ" && !operand.negated) return names_.constant(32);
  return register_slot(operand, type, false);
}

uint32_t Decoding::wide_source(const Operand& operand, Type type) {
  const bool is_register = operand.kind == Operand::Kind::name && names_.find_register(operand.name);
  return is_register ? register_slot(operand, type, true) : source(operand, type);
}

uint32_t Decoding::predicate(size_t number) {
  Operand plain = operand(number);
  out.negated = std::exchange(plain.negated, false);
  return source(plain, Type::pred);
}

void Decoding::address(size_t number) {
  const Operand& whole = operand(number);
  if (whole.kind != Operand::Kind::address) refuse("an address in brackets is missing");
  const Operand& base = whole.parts[0];
  out.number = whole.bits;
  if (base.kind == Operand::Kind::integer) {
    out.a = names_.constant(static_cast<uint64_t>(base.bits));
  } else if (const auto variable = address_of(base)) {
    out.a = names_.constant(*variable);
  } else {
    const Names::Register* r = names_.find_register(base.name);
    out.a = register_slot(base, r && bytes_of(r->type) == 4 ? Type::b32 : Type::b64, false);
  }
}

int64_t Decoding::whole_number(size_t number) {
  const Operand& o = operand(number);
  if (o.kind != Operand::Kind::integer) refuse("an operand must be a number");
  return o.bits;
}

uint32_t Decoding::label(size_t number) {
  const Operand& o = operand(number);
  const auto found = o.kind == Operand::Kind::name && o.bits == 0 ? names_.find_label(o.name) : std::nullopt;
  if (!found) refuse("there is no such label");
  return *found;
}

void Decoding::finish() const {
  if (has_modifier()) refuse("the modifier ." + statement_.modifiers[next_] + " is unknown here");
  for (bool used : used_)
    if (!used) refuse("too many operands");
}

Kernel decode(const Entry& entry, const Text& text, const std::map<std::string, uint64_t>& addresses) {
  Kernel kernel;
  kernel.entry = &entry;
  Names names(kernel, text, addresses);
  for (const Statement& statement : entry.body) {
    Decoding d(statement, names);
    const auto opcode = opcodes().find(statement.opcode);
    if (opcode == opcodes().end()) d.refuse("the instruction '" + statement.opcode + "' is unknown");
    opcode->second(d);
    d.finish();
    if (!statement.guard.empty()) {
      const Names::Register* guard = names.find_register(statement.guard);
      if (!guard || guard->type != Type::pred) d.refuse("the guard is no predicate");
      d.out.guard = guard->slot, d.out.guard_negated = statement.guard_negated;
    }
    kernel.code.push_back(std::move(d.out));
  }
  Instruction end;  // a body may end without ret
  end.run = [](Thread& t, const Instruction&) { t.stop(Thread::State::done); };
  kernel.code.push_back(end);
  return kernel;
}

}  // namespace weft::test::ptx
