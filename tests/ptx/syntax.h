#pragma once
// PTX text as a tree. It holds what the text says; whether an instruction exists is asked when it is decoded (decode.h).

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weft/tests/ptx/fault.h"
#include "weft/tests/ptx/types.h"

namespace weft::test::ptx {

struct Operand {
  enum class Kind {
    name,     // a register, a special register, a variable, a label
    integer,  // 12, -1, 0x1F
    f32,      // 0f3F800000: bits
    f64,      // 0d...: bits; a decimal number is one too
    vector,   // {a, b}
    pair,     // p|q
    address,  // [part + offset]
    sink      // _
  } kind = Kind::sink;
  std::string name = {};
  bool negated = false;  // !%p
  int64_t bits = 0;      // of a number; the offset of an address or behind a name
  std::vector<Operand> parts = {};
};

struct Statement {
  int line = 0;
  std::string text;   // as it stands there
  std::string guard;  // the predicate; empty: none
  bool guard_negated = false;
  std::string opcode;                  // "setp"
  std::vector<std::string> modifiers;  // "lt", "f32"
  std::vector<Operand> operands;
};

struct Variable {
  int line = 0;
  std::string name;
  Space space = Space::global;
  uint64_t alignment = 1, bytes = 0;
  std::vector<std::byte> initial;  // empty: none given
  bool is_dynamic = false;         // .extern .shared: as large as the launch says
};

struct RegisterDeclaration {
  int line = 0;
  std::string name;
  Type type = Type::b32;
};

struct Entry {
  int line = 0;
  std::string name;
  std::vector<Variable> params, variables;
  std::vector<RegisterDeclaration> registers;
  std::vector<Statement> body;
  std::map<std::string, size_t> labels;  // to the number of the statement behind it
  std::optional<Dim3> most_threads, exact_threads;
};

struct Text {
  std::string target;
  std::vector<Variable> variables;
  std::vector<Entry> entries;
};

/// Throws Fault (Check::text) with line and text for what it does not know. One file has one header; several texts may follow each
/// other only if each is parsed on its own.
Text parse(std::string_view text);

}  // namespace weft::test::ptx
