#include "weft/ir/parser.h"

#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <limits>
#include <set>
#include <sstream>
#include <type_traits>
#include <unordered_map>

#include "weft/ir/builder.h"
#include "weft/ir/verifier.h"

namespace weft::ir {
namespace {

enum class Token { end, name, value, number, string, symbol };

/// Splits the text into tokens and keeps the position of each for messages.
class Lexer {
 public:
  Lexer(std::string_view text, std::string file) : text_(text), file_(std::move(file)) {
    if (text_.starts_with("\xef\xbb\xbf")) at_ = 3;  // what some editors put in front of UTF-8
    next();
  }

  Token kind = Token::end;
  std::string text;  // of a string: its contents; of a value: without the %

  void next() {
    skip();
    start_ = at_;
    text.clear();
    if (at_ == text_.size()) {
      kind = Token::end;
      return;
    }
    const char c = text_[at_];
    if (is_letter(c)) {
      kind = Token::name;
      while (at_ < text_.size() && is_word(text_[at_])) text += text_[at_++];
    } else if (c == '%') {
      kind = Token::value;
      ++at_;
      if (at_ < text_.size() && text_[at_] == '"') {
        string();
        text = "\"" + text;  // %"0" is not %0
      } else {
        while (at_ < text_.size() && is_word(text_[at_])) text += text_[at_++];
      }
      if (text.empty()) fail("a value needs a name after '%'");
    } else if (c == '"') {
      kind = Token::string;
      string();
    } else if (is_digit(c) || (c == '-' && at_ + 1 < text_.size() && (is_digit(text_[at_ + 1]) || text_[at_ + 1] == 'i' || text_[at_ + 1] == 'n'))) {
      kind = Token::number;
      text += text_[at_++];
      while (at_ < text_.size() && (is_word(text_[at_]) || ((text_[at_] == '-' || text_[at_] == '+') && text_[at_ - 1] == 'e')))
        text += text_[at_++];
    } else {
      kind = Token::symbol;
      text = c;
      ++at_;
    }
  }

  [[noreturn]] void fail(const std::string& what) const {
    int line = 1, column = 1;
    for (size_t i = 0; i < start_; ++i) {
      ++column;
      if (text_[i] == '\n') ++line, column = 1;
    }
    throw Error("{}:{}:{}: {}", file_, line, column, what);
  }

  bool is(std::string_view symbol) const { return (kind == Token::symbol || kind == Token::name) && text == symbol; }
  bool take(std::string_view symbol) {
    if (!is(symbol)) return false;
    next();
    return true;
  }
  void expect(std::string_view symbol) {
    if (!take(symbol)) fail(fmt::format("expected '{}' but found {}", symbol, found()));
  }
  std::string take(Token wanted, std::string_view what) {
    if (kind != wanted) fail(fmt::format("expected {} but found {}", what, found()));
    std::string result = text;
    next();
    return result;
  }
  std::string found() const {
    if (kind == Token::end) return "the end of the text";
    const auto c = static_cast<unsigned char>(text.empty() ? ' ' : text[0]);
    if (kind == Token::symbol && (c < ' ' || c >= 0x7f)) return fmt::format("a byte {:#04x}: is this a program in text form?", c);
    return fmt::format("'{}{}'", kind == Token::value ? "%" : "", text);
  }
  const std::string& file() const { return file_; }
  /// Of the token.
  int line() const { return line_; }
  size_t mark() const { return start_; }
  [[noreturn]] void fail_at(size_t mark, const std::string& what) {
    start_ = mark;
    fail(what);
  }

 private:
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
  static bool is_word(char c) { return is_letter(c) || is_digit(c) || c == '.'; }

  void skip() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#') while (at_ < text_.size() && text_[at_] != '\n' && text_[at_] != '\r') ++at_;
      else if (c == '\n') ++at_, ++line_;
      else if (c == ' ' || c == '\t' || c == '\r') ++at_;
      else return;
    }
  }

  void string() {
    ++at_;
    for (;; ++at_) {
      if (at_ == text_.size() || text_[at_] == '\n') fail("the string is not closed");
      if (text_[at_] == '"') break;
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
        ++at_;
        text += text_[at_] == 'n' ? '\n' : text_[at_];
      } else {
        text += text_[at_];
      }
    }
    ++at_;
  }

  std::string_view text_;
  std::string file_;
  size_t at_ = 0, start_ = 0;
  int line_ = 1;
};

using Scope = std::unordered_map<std::string, Value>;

/// A kernel's nests' bodies are three deep; far more would only overflow the stack of whoever walks them.
constexpr int most_depth = 16;

class Parser {
 public:
  Parser(std::string_view text, const std::string& name) : lex_(text, name) {}

  Module module() {
    lex_.expect("weft");
    if (lex_.take(Token::number, "the format's version") != "1") lex_.fail("only version 1 of the text form is known");
    Module m;
    if (lex_.take("module")) header(m);
    if (lex_.take("train")) train(m);
    lex_.expect("func");
    lex_.expect("@");
    m.graph().set_name(name());
    lex_.expect("{");
    const size_t start = lex_.mark();
    graph(m.graph());
    if (lex_.kind != Token::end) lex_.fail("expected the end of the text but found " + lex_.found());
    try {
      verify(m);
    } catch (const Error& e) {
      lex_.fail_at(start, e.what());
    }
    return m;
  }

 private:
  void header(Module& m) {
    std::set<std::string> given;
    while (lex_.kind == Token::name && !lex_.is("train") && !lex_.is("func")) {
      const size_t mark = lex_.mark();
      const std::string key = new_key(given, "a header entry");
      if (key == "target") m.target = lex_.take(Token::string, "a string");
      else if (key == "stage") m.stage = lex_.take(Token::string, "a string");
      else if (key == "arena") m.arena_bytes = bytes();
      else lex_.fail_at(mark, "unknown header entry '" + key + "'; known are target, stage, arena");
    }
  }

  int64_t bytes() {
    const size_t mark = lex_.mark();
    const int64_t count = integer();
    if (count < 0) lex_.fail_at(mark, fmt::format("a number of bytes is not negative, but this is {}", count));
    return count;
  }

  /// "key =", for a key that must not have been given before.
  std::string new_key(std::set<std::string>& given, std::string_view what) {
    const size_t mark = lex_.mark();
    std::string key = lex_.take(Token::name, what);
    if (!given.insert(key).second) lex_.fail_at(mark, "'" + key + "' is given twice");
    lex_.expect("=");
    return key;
  }

  void train(Module& m) {
    TrainSpec spec;
    std::set<std::string> given;
    lex_.expect("{");
    do {
      const std::string key = new_key(given, "an entry of the train block");
      if (key == "loss") spec.loss = lex_.take(Token::string, "a string");
      else if (key == "inputs") spec.inputs = strings();
      else if (key == "optimizer") spec.optimizer = lex_.take(Token::string, "a string");
      else if (key == "keep") spec.keep = strings();
      else if (key == "clip_value") spec.clip_value = switched();
      else if (key == "clip_norm") spec.clip_norm = switched();
      else if (key == "counters") spec.counters = integers();
      else spec.attributes.emplace_back(key, attribute());
    } while (lex_.take(","));
    lex_.expect("}");
    while (lex_.take("group")) spec.groups.push_back(group());
    m.train = std::move(spec);
  }

  TrainGroup group() {
    TrainGroup group{.name = lex_.take(Token::string, "the group's name, a string")};
    std::set<std::string> given;
    lex_.expect("{");
    do {
      const std::string key = new_key(given, "an entry of the group");
      if (key == "inputs") group.inputs = strings();
      else if (key == "optimizer") group.optimizer = lex_.take(Token::string, "a string");
      else group.attributes.emplace_back(key, attribute());
    } while (lex_.take(","));
    lex_.expect("}");
    return group;
  }

  bool switched() {
    const size_t mark = lex_.mark();
    const Attribute given = attribute();
    if (const bool* on = std::get_if<bool>(&given)) return *on;
    lex_.fail_at(mark, "expected true or false");
  }

  Dims integers() {
    const size_t mark = lex_.mark();
    const Attribute given = attribute();
    if (const Dims* all = std::get_if<Dims>(&given)) return *all;
    lex_.fail_at(mark, "expected a list of integers");
  }

  std::vector<std::string> strings() {
    std::vector<std::string> all;
    lex_.expect("[");
    if (!lex_.is("]"))
      do all.push_back(lex_.take(Token::string, "a string"));
      while (lex_.take(","));
    lex_.expect("]");
    return all;
  }

  std::string name() {
    if (lex_.kind == Token::string) return lex_.take(Token::string, "a name");
    return lex_.take(Token::name, "a name");
  }

  /// Everything up to and with the closing brace.
  void graph(Graph& g, int depth = 0) {
    if (depth > most_depth) lex_.fail(fmt::format("bodies in bodies, more than {} deep", most_depth));
    Scope scope;
    while (!lex_.take("}")) {
      if (lex_.take("input")) input(g, scope);
      else if (lex_.take("output")) output(g, scope);
      else op(g, scope, depth);
    }
  }

  void define(Scope& scope, const std::string& name, Value value, size_t mark) {
    if (!scope.emplace(name, value).second) lex_.fail_at(mark, "%" + name + " is defined twice");
  }

  void input(Graph& g, Scope& scope) {
    const size_t mark = lex_.mark();
    const Location here = read_here();
    const std::string key = lex_.take(Token::value, "an input (%name)");
    lex_.expect(":");
    auto [type, offset] = placed();
    Role role = Role::batch;
    if (lex_.kind == Token::name)
      if (const auto r = role_from_name(lex_.text)) role = *r, lex_.next();
    const std::string plain = key[0] == '"' ? key.substr(1) : key;
    if (g.find_input(plain)) lex_.fail_at(mark, "%" + plain + " is defined twice");
    const Locations lines = locations(here);
    const Value v = refused_at(mark, lines, [&] { return g.add_input(plain, std::move(type), role, lines); });
    v.set_offset(offset);
    define(scope, key, v, mark);
  }

  void output(Graph& g, Scope& scope) {
    const Location here = read_here();
    Output out;
    if (lex_.kind != Token::value) {
      out.name = name();
      lex_.expect("=");
    }
    out.value = use(scope);
    if (lex_.take("aliases")) {
      const size_t mark = lex_.mark();
      const Value input = use(scope);
      if (!input.is_input()) lex_.fail_at(mark, "only an input can be aliased");
      out.alias = input.index();
    }
    out.locations = locations(here);
    g.add_output(std::move(out));
  }

  Value use(const Scope& scope) {
    const size_t mark = lex_.mark();
    const std::string key = lex_.take(Token::value, "a value (%name)");
    const auto found = scope.find(key);
    if (found == scope.end()) lex_.fail_at(mark, "%" + key + " is not defined before this use");
    return found->second;
  }

  void op(Graph& g, Scope& scope, int depth) {
    const Location here = read_here();
    std::vector<std::pair<std::string, size_t>> results;
    do {
      const size_t mark = lex_.mark();
      results.emplace_back(lex_.take(Token::value, "'input', 'output', '}' or an op's result (%name)"), mark);
    } while (lex_.take(","));
    lex_.expect("=");
    const size_t mark = lex_.mark();
    const std::string op_name = lex_.take(Token::name, "an op");
    const OpDef* def = registry().find(op_name);
    if (!def) {
      std::vector<std::string> known;
      for (const OpDef* d : registry().all()) known.push_back(d->name);
      lex_.fail_at(mark, "unknown op '" + op_name + "'" + did_you_mean(op_name, known));
    }
    std::vector<Value> operands;
    lex_.expect("(");
    if (!lex_.is(")"))
      do operands.push_back(use(scope));
      while (lex_.take(","));
    lex_.expect(")");
    NamedAttributes attributes;
    std::set<std::string> given;
    if (lex_.take("{")) {
      do {
        std::string key = new_key(given, "an attribute");
        attributes.emplace_back(std::move(key), attribute());
      } while (lex_.take(","));
      lex_.expect("}");
    }
    lex_.expect(":");
    std::vector<std::pair<Type, std::optional<int64_t>>> types;
    do types.push_back(placed());
    while (lex_.take(","));
    std::vector<std::unique_ptr<Graph>> bodies;
    while (lex_.take("{")) {
      bodies.push_back(std::make_unique<Graph>());
      graph(*bodies.back(), depth + 1);
    }
    Builder builder(g, nullptr, locations(here));
    Op* created = refused_at(mark, builder.locations(), [&] {
      return &builder.create(op_name, std::move(operands), std::move(attributes), std::move(bodies));
    });
    if (static_cast<int>(results.size()) != created->result_count() || results.size() != types.size())
      lex_.fail_at(mark, fmt::format("{} has {} results, but {} names and {} types are given", op_name,
                                     created->result_count(), results.size(), types.size()));
    for (int i = 0; i < created->result_count(); ++i) {
      const auto& [type, offset] = types[static_cast<size_t>(i)];
      const Value v = created->result(i);
      if (v.type() != type)
        lex_.fail_at(mark, fmt::format("{} gives {}, not {}", op_name, to_string(v.type()), to_string(type)));
      v.set_offset(offset);
      define(scope, results[static_cast<size_t>(i)].first, v, results[static_cast<size_t>(i)].second);
    }
  }

  /// `text` as a T; unlike strtod, in one rounding and whatever the locale.
  template <class T>
  T converted(const std::string& text, size_t mark, std::string_view what) {
    T value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc::result_out_of_range) lex_.fail_at(mark, "'" + text + "' is out of range");
    if (error != std::errc() || end != text.data() + text.size())
      lex_.fail_at(mark, fmt::format("'{}' is not {}", text, what));
    return value;
  }

  int64_t integer() {
    const size_t mark = lex_.mark();
    return converted<int64_t>(lex_.take(Token::number, "an integer"), mark, "an integer");
  }

  /// An integer that a T holds.
  template <class T>
  int64_t integer_in() {
    const size_t mark = lex_.mark();
    const int64_t value = integer();
    if (value < std::numeric_limits<T>::min() || value > std::numeric_limits<T>::max())
      lex_.fail_at(mark, fmt::format("'{}' is out of range", value));
    return value;
  }

  Dims dims() {
    Dims all;
    lex_.expect("[");
    if (!lex_.is("]"))
      do all.push_back(integer());
      while (lex_.take(","));
    lex_.expect("]");
    return all;
  }

  Type type() {
    const size_t mark = lex_.mark();
    const std::string dtype_name = lex_.take(Token::name, "a type");
    const auto dtype = dtype_from_name(dtype_name);
    if (!dtype) lex_.fail_at(mark, "unknown element type '" + dtype_name + "'");
    return {*dtype, shape()};
  }

  Shape shape() {
    const size_t mark = lex_.mark();
    const Dims extents = dims();
    try {
      return Shape(extents);
    } catch (const Error& e) {
      lex_.fail_at(mark, e.what());
    }
    return {};
  }

  std::pair<Type, std::optional<int64_t>> placed() {
    Type t = type();
    std::optional<int64_t> offset;
    if (lex_.take("@")) offset = integer();
    return {std::move(t), offset};
  }

  template <class T = double>
  T real() {
    const size_t mark = lex_.mark();
    const Token kind = lex_.kind == Token::name ? Token::name : Token::number;
    return converted<T>(lex_.take(kind, "a number"), mark, "a number");
  }

  Attribute attribute() {
    if (lex_.kind == Token::string) return lex_.take(Token::string, "a string");
    if (lex_.is("[")) return dims();
    if (lex_.kind == Token::number) {
      if (lex_.text.find_first_of(".en") == std::string::npos) return integer();
      return real();
    }
    if (lex_.take("true")) return true;
    if (lex_.take("false")) return false;
    if (lex_.is("inf") || lex_.is("nan")) return real();
    const size_t mark = lex_.mark();
    const std::string word = lex_.take(Token::name, "an attribute's value");
    const auto dtype = dtype_from_name(word);
    if (!dtype) lex_.fail_at(mark, "'" + word + "' is no attribute value");
    if (!lex_.is("[")) return *dtype;
    return dense({*dtype, shape()});
  }

  Dense dense(Type type) {
    const size_t mark = lex_.mark();
    if (lex_.take("hex")) return hex(std::move(type));
    const bool list = lex_.take("[");
    const int64_t count = list ? type.shape.numel() : 1;
    std::vector<std::byte> bytes;
    for (int64_t i = 0; i < count; ++i) {
      if (i) lex_.expect(",");
      const Dense one = element({type.dtype, {}});
      bytes.insert(bytes.end(), one.bytes().begin(), one.bytes().end());
    }
    if (!list) return Dense::repeated(std::move(type), std::move(bytes));
    if (!lex_.take("]")) lex_.fail_at(mark, fmt::format("expected exactly {} elements", count));
    return Dense(std::move(type), std::move(bytes));
  }

  Dense element(const Type& scalar) {
    if (scalar.dtype == boolean) {
      if (lex_.take("true")) return Dense::splat(scalar, 1);
      lex_.expect("false");
      return Dense::splat(scalar, 0);
    }
    switch (scalar.dtype) {
      case DType::f32:
      case DType::bf16: return Dense::splat(scalar, real<float>());
      case DType::i32: return Dense::splat_integer(scalar, integer_in<int32_t>());
      case DType::u8: return Dense::splat_integer(scalar, integer_in<uint8_t>());
      case DType::i64: return Dense::splat_integer(scalar, integer());
      default: return Dense::splat(scalar, real());
    }
  }

  Dense hex(Type type) {
    const size_t mark = lex_.mark();
    const std::string digits = lex_.take(Token::string, "hex digits");
    const size_t one = 2 * size_of(type.dtype), elements = digits.size() / one;
    if (digits.size() % one != 0 || (elements != 1 && elements != static_cast<size_t>(type.shape.numel())))
      lex_.fail_at(mark, fmt::format("{} hex digits for a {}, which needs {} an element", digits.size(),
                                     to_string(type), one));
    std::vector<std::byte> bytes;
    for (size_t i = 0; i < digits.size(); i += 2) {
      unsigned value = 0;
      const auto [end, error] = std::from_chars(digits.data() + i, digits.data() + i + 2, value, 16);
      if (error != std::errc() || end != digits.data() + i + 2) lex_.fail_at(mark, "not a hex digit in the constant");
      if (type.dtype == boolean && value > 1) lex_.fail_at(mark, "an element of a bool is 00 or 01");
      bytes.push_back(static_cast<std::byte>(value));
    }
    if (elements == static_cast<size_t>(type.shape.numel())) return Dense(std::move(type), std::move(bytes));
    return Dense::repeated(std::move(type), std::move(bytes));
  }

  Location read_here() const { return {lex_.file(), lex_.line(), "", true}; }

  /// The source lines, if any are given, and where they are given.
  Locations locations(const Location& here) {
    std::vector<Location> all{here};
    if (!lex_.take("at")) return Locations(std::move(all));
    do {
      Location at;
      at.file = lex_.take(Token::string, "a file name");
      lex_.expect(":");
      at.line = static_cast<int>(integer_in<int>());
      if (lex_.kind == Token::string) at.scope = lex_.take(Token::string, "a scope");
      all.push_back(std::move(at));
    } while (lex_.take(","));
    return Locations(std::move(all));
  }

  /// What `make` gives. Its weft::Error names the token; the line where that stands is not said again behind it.
  template <class Make>
  std::invoke_result_t<Make> refused_at(size_t mark, const Locations& said, Make make) {
    try {
      return make();
    } catch (const Error& e) {
      std::string what = e.what();
      const std::string again = ", at " + to_string(said);
      if (source_lines(said).empty() && what.ends_with(again)) what.resize(what.size() - again.size());
      lex_.fail_at(mark, what);
    }
  }

  Lexer lex_;
};

}  // namespace

Module parse(std::string_view text, const std::string& name) { return Parser(text, name).module(); }

Module parse_file(const std::string& path) {
  std::stringstream text;
  if (path == "-") {
    text << std::cin.rdbuf();
    return parse(text.str(), "<standard input>");
  }
  if (std::filesystem::is_directory(path)) throw Error("{}: is a directory, not a program in text form", path);
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error("{}: cannot open the file: {}", path, std::strerror(errno));
  text << file.rdbuf();
  if (file.bad()) throw Error("{}: cannot read the file: {}", path, std::strerror(errno));
  return parse(text.str(), path);
}

}  // namespace weft::ir
