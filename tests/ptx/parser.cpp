#include <charconv>
#include <cstring>
#include <utility>

#include "weft/tests/ptx/lexer.h"
#include "weft/tests/ptx/syntax.h"

namespace weft::test::ptx {
namespace {

using Kind = Token::Kind;

/// A decimal number as the bits of an f64.
std::optional<int64_t> decimal_bits(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  int64_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

std::optional<uint64_t> whole_number(std::string_view text, int base) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || text.empty() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<uint64_t> integer(std::string_view text) {
  if (text.size() > 1 && text.back() == 'U') text.remove_suffix(1);
  if (text.starts_with("0x") || text.starts_with("0X")) return whole_number(text.substr(2), 16);
  if (text.starts_with("0b") || text.starts_with("0B")) return whole_number(text.substr(2), 2);
  if (text.size() > 1 && text[0] == '0') return whole_number(text.substr(1), 8);
  return whole_number(text, 10);
}

std::optional<Operand> number_operand(std::string_view text) {
  const std::string_view prefix = text.substr(0, 2);
  if ((prefix == "0f" || prefix == "0F") && text.size() == 10)
    if (const auto bits = whole_number(text.substr(2), 16)) return Operand{Operand::Kind::f32, {}, false, static_cast<int64_t>(*bits)};
  if ((prefix == "0d" || prefix == "0D") && text.size() == 18)
    if (const auto bits = whole_number(text.substr(2), 16)) return Operand{Operand::Kind::f64, {}, false, static_cast<int64_t>(*bits)};
  if (const auto value = integer(text)) return Operand{Operand::Kind::integer, {}, false, static_cast<int64_t>(*value)};
  if (text.find('.') != std::string_view::npos)
    if (const auto bits = decimal_bits(text)) return Operand{Operand::Kind::f64, {}, false, *bits};
  return std::nullopt;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text), tokens_(tokens_of(text)) {}

  Text all() {
    header();
    while (now().kind != Kind::end) module_item();
    return std::move(result_);
  }

 private:
  // tokens

  const Token& now() const { return tokens_[at_]; }
  bool is(std::string_view sign) const { return now().kind == Kind::sign && now().text == sign; }
  bool is_dotted(std::string_view word) const { return now().kind == Kind::dotted && now().text == word; }
  const Token& take() { return tokens_[at_ == tokens_.size() - 1 ? at_ : at_++]; }
  bool accept(std::string_view sign) { return is(sign) && (take(), true); }
  bool accept_dotted(std::string_view word) { return is_dotted(word) && (take(), true); }

  [[noreturn]] void refuse(const std::string& what) const {
    const char* from = now().kind == Kind::end ? text_.data() + text_.size() : now().text.data();
    size_t begin = static_cast<size_t>(from - text_.data());
    begin = begin == 0 ? 0 : text_.rfind('\n', begin - 1) + 1;
    const std::string_view line = text_.substr(begin, text_.find('\n', begin) - begin);
    throw Fault(Check::text, what, "line " + std::to_string(now().line) + ", `" + std::string(line) + "`");
  }

  void expect(std::string_view sign) {
    if (!accept(sign)) refuse("'" + std::string(sign) + "' is missing before '" + std::string(now().text) + "'");
  }

  std::string word(const char* what) {
    if (now().kind != Kind::word) refuse(std::string(what) + " is missing before '" + std::string(now().text) + "'");
    return std::string(take().text);
  }

  uint64_t count(const char* what) {
    const std::optional<uint64_t> value = now().kind == Kind::number ? integer(now().text) : std::nullopt;
    if (!value) refuse(std::string(what) + " is missing before '" + std::string(now().text) + "'");
    take();
    return *value;
  }

  // the file

  void header() {
    if (!accept_dotted("version")) refuse("PTX starts with .version");
    if (now().kind != Kind::number || now().text.size() < 3 || now().text[0] < '6' || now().text[0] > '9')
      refuse("a version between 6.0 and 9 is missing");
    take();
    if (!accept_dotted("target")) refuse(".target is missing");
    result_.target = word("an architecture");
    while (accept(",")) word("an option of the target");
    if (!accept_dotted("address_size") || count("an address size") != 64) refuse("the address size must be 64");
  }

  void module_item() {
    if (accept_dotted("file")) {
      count("a number"), take();
      while (accept(",")) count("a number");
      return;
    }
    const bool is_extern = accept_dotted("extern");
    if (!is_extern) accept_dotted("visible") || accept_dotted("weak");
    if (accept_dotted("entry")) entry();
    else if (now().kind == Kind::dotted && space_from_name(now().text)) variables(result_.variables, is_extern);
    else refuse("an unknown directive '" + std::string(now().text) + "'");
  }

  void entry() {
    Entry e;
    e.line = now().line;
    e.name = word("a kernel's name");
    if (accept("(")) {
      if (!is(")")) do
          e.params.push_back(param());
        while (accept(","));
      expect(")");
    }
    while (now().kind == Kind::dotted) performance_directive(e);
    expect("{");
    body(e);
    result_.entries.push_back(std::move(e));
  }

  Variable param() {
    if (!accept_dotted("param")) refuse(".param is missing");
    return declared(Space::param, false);
  }

  void performance_directive(Entry& e) {
    const std::string name(take().text);
    if (name == "pragma") {
      take(), expect(";");
      return;
    }
    if (name == "minnctapersm" || name == "maxnreg") {
      count("a number");
      return;
    }
    if (name != "reqntid" && name != "maxntid") refuse("an unknown directive '." + name + "'");
    Dim3 extents;
    extents.x = static_cast<uint32_t>(count("an extent"));
    if (accept(",")) extents.y = static_cast<uint32_t>(count("an extent"));
    if (accept(",")) extents.z = static_cast<uint32_t>(count("an extent"));
    (name == "reqntid" ? e.exact_threads : e.most_threads) = extents;
  }

  // variables and registers

  void variables(std::vector<Variable>& to, bool is_extern) {
    const Space space = *space_from_name(take().text);
    if (space == Space::param || (is_extern && space != Space::shared)) refuse("no variable can be declared like this");
    do to.push_back(declared(space, is_extern));
    while (accept(","));
    expect(";");
  }

  /// [.align N] .type [.ptr ...] name [N]... [= {...}]
  Variable declared(Space space, bool is_extern) {
    Variable v;
    v.line = now().line, v.space = space;
    std::optional<uint64_t> alignment;
    if (accept_dotted("align")) alignment = count("an alignment");
    unsigned vector = 1;
    if (is_dotted("v2") || is_dotted("v4")) vector = take().text == "v2" ? 2 : 4;
    const Type type = element_type();
    if (space == Space::param && accept_dotted("ptr")) {
      if (now().kind == Kind::dotted && space_from_name(now().text)) take();
      if (accept_dotted("align")) count("an alignment");
    }
    v.alignment = alignment.value_or(uint64_t{bytes_of(type)} * vector);
    v.name = word("a variable's name");
    uint64_t elements = vector;
    while (accept("[")) {
      if (accept("]")) {
        if (!is_extern) refuse("an array without an extent");
        v.is_dynamic = true;
        continue;
      }
      elements *= count("an extent");
      expect("]");
    }
    if (is_extern && !v.is_dynamic) refuse("only an array without an extent may be extern");
    v.bytes = v.is_dynamic ? 0 : elements * bytes_of(type);
    if (accept("=")) initial(v, type);
    return v;
  }

  Type element_type() {
    const std::optional<Type> type = now().kind == Kind::dotted ? type_from_name(now().text) : std::nullopt;
    if (!type) refuse("an unknown type '" + std::string(now().text) + "'");
    take();
    return *type;
  }

  /// What no value is given for is zero.
  void initial(Variable& v, Type type) {
    if (v.space != Space::global && v.space != Space::constant) refuse("only variables in .global and .const have initial values");
    size_t at = 0;
    const auto value = [&](auto& self) -> void {
      if (accept("{")) {
        if (!is("}")) do
            self(self);
          while (accept(","));
        return expect("}");
      }
      const Operand number = operand();
      const uint64_t bits = static_cast<uint64_t>(number.bits);
      const bool fits = number.kind == Operand::Kind::integer || (number.kind == Operand::Kind::f32 && type == Type::f32) ||
                        (number.kind == Operand::Kind::f64 && type == Type::f64);
      if (!fits || at + bytes_of(type) > v.bytes) refuse("an initial value that the variable cannot hold");
      std::memcpy(v.initial.data() + at, &bits, bytes_of(type));
      at += bytes_of(type);
    };
    v.initial.resize(v.bytes);
    value(value);
  }

  void registers(Entry& e) {
    const int line = now().line;
    if (is_dotted("v2") || is_dotted("v4")) refuse("a register that is a vector");
    const Type type = element_type();
    do {
      const std::string name = word("a register's name");
      if (!accept("<")) {
        e.registers.push_back({line, declared_register(name, e), type});
        continue;
      }
      const uint64_t n = count("a number of registers");
      if (n > 1000000) refuse("too many registers");
      for (uint64_t i = 0; i < n; ++i) e.registers.push_back({line, declared_register(name + std::to_string(i), e), type});
      expect(">");
    } while (accept(","));
    expect(";");
  }

  /// Its name in the whole body: in inner braces one that no text can hold.
  std::string declared_register(const std::string& name, const Entry& e) {
    if (scopes_.size() == 1) return name;
    const auto [at, is_new] = scopes_.back().emplace(name, name + "@" + std::to_string(e.registers.size()));
    if (!is_new) refuse("the register '" + name + "' stands there twice");
    return at->second;
  }

  /// What a name means here.
  std::string resolved(const std::string& name) const {
    for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope)
      if (const auto found = scope->find(name); found != scope->end()) return found->second;
    return name;
  }

  // statements

  /// Braces inside of a body have registers of their own; labels and variables are those of the whole body.
  void body(Entry& e) {
    scopes_.resize(1);
    while (!scopes_.empty()) {
      if (now().kind == Kind::end) refuse("the body of '" + e.name + "' has no end");
      if (accept("{")) scopes_.emplace_back();
      else if (accept("}")) scopes_.pop_back();
      else if (now().kind == Kind::dotted) body_directive(e);
      else if (now().kind == Kind::word && tokens_[at_ + 1].kind == Kind::sign && tokens_[at_ + 1].text == ":") label(e);
      else e.body.push_back(statement());
    }
  }

  void label(Entry& e) {
    const std::string name = word("a label");
    expect(":");
    if (!e.labels.emplace(name, e.body.size()).second) refuse("the label '" + name + "' stands there twice");
  }

  void body_directive(Entry& e) {
    if (accept_dotted("reg")) return registers(e);
    if (accept_dotted("pragma")) {
      take();
      return expect(";");
    }
    if (accept_dotted("loc")) {
      for (int i = 0; i < 3; ++i) count("a number");
      return;
    }
    if (!is_dotted("param") && space_from_name(now().text)) return variables(e.variables, false);
    refuse("an unknown directive '." + std::string(now().text) + "'");
  }

  Statement statement() {
    Statement s;
    s.line = now().line;
    const char* begin = now().text.data();
    if (accept("@")) {
      s.guard_negated = accept("!");
      s.guard = resolved(word("a predicate"));
    }
    s.opcode = word("an instruction");
    while (now().kind == Kind::dotted) s.modifiers.emplace_back(take().text);
    if (!is(";")) do
        s.operands.push_back(operand());
      while (accept(","));
    const char* end = now().text.data() + 1;
    expect(";");
    s.text = std::string(begin, end);
    return s;
  }

  Operand operand() {
    if (accept("{")) {
      Operand all{Operand::Kind::vector};
      do all.parts.push_back(operand());
      while (accept(","));
      expect("}");
      return all;
    }
    if (accept("[")) return address();
    if (accept("!")) {
      Operand negated = operand();
      negated.negated = true;
      return negated;
    }
    if (is("-") || now().kind == Kind::number) return number();
    Operand name = named();
    if (accept("|")) return {Operand::Kind::pair, {}, false, 0, {name, named()}};
    return name;
  }

  Operand number() {
    const bool is_negative = accept("-");
    std::optional<Operand> value = now().kind == Kind::number ? number_operand(now().text) : std::nullopt;
    if (!value) refuse("an unknown number '" + std::string(now().text) + "'");
    take();
    if (is_negative && value->kind == Operand::Kind::f32) refuse("a minus before bits");
    if (is_negative && value->kind == Operand::Kind::f64) value->bits ^= INT64_MIN;
    else if (is_negative) value->bits = static_cast<int64_t>(0 - static_cast<uint64_t>(value->bits));
    return *value;
  }

  Operand named() {
    Operand result{Operand::Kind::name, resolved(word("an operand"))};
    if (result.name == "_") return {Operand::Kind::sink};
    if (result.name[0] == '%' && now().kind == Kind::dotted && now().touches) result.name += "." + std::string(take().text);
    if (is("+") || is("-")) result.bits = offset();
    return result;
  }

  /// "+4", "-4" or "+-4".
  int64_t offset() {
    if (is("+")) take();
    const Operand value = number();
    if (value.kind != Operand::Kind::integer) refuse("an offset that is no integer");
    return value.bits;
  }

  Operand address() {
    Operand result{Operand::Kind::address};
    Operand base = operand();
    if (base.kind == Operand::Kind::name) result.bits = std::exchange(base.bits, 0);
    else if (base.kind != Operand::Kind::integer) refuse("an address that is no register, variable or number");
    result.parts.push_back(std::move(base));
    expect("]");
    return result;
  }

  std::string_view text_;
  std::vector<Token> tokens_;
  size_t at_ = 0;
  std::vector<std::map<std::string, std::string>> scopes_;  // of registers that inner braces declare
  Text result_;
};

}  // namespace

Text parse(std::string_view text) { return Parser(text).all(); }

}  // namespace weft::test::ptx
