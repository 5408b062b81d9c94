#include "weft/ir/parser.h"

#include <algorithm>
#include <map>
#include <set>
#include <type_traits>
#include <unordered_map>

#include "weft/ir/builder.h"
#include "weft/ir/gradient_names.h"
#include "weft/ir/header_parser.h"
#include "weft/ir/lexer.h"
#include "weft/ir/literals.h"
#include "weft/ir/registry.h"
#include "weft/ir/value_names.h"
#include "weft/ir/verifier.h"

namespace weft::ir {
namespace {

using Scope = std::unordered_map<std::string, Value>;

/// A kernel's nests' bodies are three deep; far more would only overflow the stack of whoever walks them.
constexpr int most_depth = 16;

class Parser {
 public:
  Parser(std::string_view text, const std::string& name) : lex_(text, name), may_have_end_(text.find("\nat") != std::string_view::npos) {}

  Module module() {
    const size_t first = lex_.mark();
    lex_.expect("weft");
    const size_t mark = lex_.mark();
    if (lex_.kind != Token::number)
      lex_.fail_at(first, "expected 'weft 1', with the form's version, but found 'weft', then " + lex_.found());
    if (const std::string version = lex_.take(Token::number, "the format's version"); version != "1")
      lex_.fail_at(mark,
                   fmt::format("this text is of version {} of the form, and version 1 alone is known (docs/text_format.md)", version));
    if (may_have_end_) find_lines_at_end();
    Module m;
    parse_header(lex_, literals_, m);
    lex_.expect("func");
    lex_.expect("@");
    m.graph().set_name(name());
    lex_.expect("{");
    const size_t start = lex_.mark();
    graph(m.graph());
    m.places.merge(places_);
    while (lex_.take("at")) lines_at_end();
    if (lex_.kind != Token::end) lex_.fail("expected the end of the text but found " + lex_.found());
    try {
      verify(m);
    } catch (const Error& e) {
      lex_.fail_at(start, e.what());
    }
    return m;
  }

 private:
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
      else if (lex_.take("output")) output(g, scope, depth);
      else op(g, scope, depth);
    }
    keep_names(g, scope);
  }

  /// %"a" is %a, but %"0", which an input may be called, is not %0, a result's number.
  std::string value_name(std::string_view what) {
    std::string key = lex_.take(Token::value, what);
    return key[0] == '"' && !is_number(std::string_view(key).substr(1)) ? key.substr(1) : key;
  }

  void define(Scope& scope, const std::string& name, Value value, size_t mark) {
    if (!scope.emplace(name, value).second) lex_.fail_at(mark, "%" + name + " is defined twice");
  }

  /// Results keep the names that they would not have anyway, but for numbers, and gradients theirs. First those that are nothing like a
  /// derived one, then, until all are as they were written, those that got another number.
  void keep_names(const Graph& g, const Scope& scope) {
    for (const auto& [key, value] : scope)
      if (!value.is_input() && !is_number(key) && !is_numbered(plain(key), name_without_number(value))) set_given_name(value, plain(key));
    name_gradients(g);
    for (bool is_settled = false; !is_settled;) {
      is_settled = true;
      const ValueNames names(g);
      for (const auto& [key, value] : scope) {
        if (value.is_input() || is_number(key) || names.of(value) == value_text(plain(key))) continue;
        set_given_name(value, plain(key));
        is_settled = false;
      }
    }
  }

  static std::string plain(const std::string& key) { return key[0] == '"' ? key.substr(1) : key; }

  /// "exp" or "exp.2" of "exp"?
  static bool is_numbered(std::string_view name, std::string_view base) {
    return name == base ||
           (name.starts_with(base) && name.size() > base.size() && name[base.size()] == '.' && is_number(name.substr(base.size() + 1)));
  }

  void input(Graph& g, Scope& scope) {
    const size_t mark = lex_.mark();
    const Location here = read_here();
    const std::string key = value_name("an input (%name)");
    lex_.expect(":");
    auto [type, offset] = placed();
    const size_t role_mark = lex_.mark();
    Role role = Role::batch;
    if (lex_.kind == Token::name)
      if (const auto r = role_from_name(lex_.text)) {
        role = *r, lex_.next();
        if (role == Role::key && type != Type{i64, {2}})
          lex_.fail_at(role_mark, fmt::format("a key is an i64[2], seed and step, not {}", to_string(type)));
      }
    const std::string plain = key[0] == '"' ? key.substr(1) : key;
    if (g.find_input(plain)) lex_.fail_at(mark, "%" + plain + " is defined twice");
    const Locations lines = locations(here);
    const Value v = refused_at(mark, lines, [&] { return g.add_input(plain, std::move(type), role, lines); });
    v.set_offset(offset);
    define(scope, key, v, mark);
  }

  void output(Graph& g, Scope& scope, int depth) {
    const Location here = read_here();
    Output out;
    if (lex_.kind != Token::value) {
      const size_t mark = lex_.mark();
      out.name = name();
      if (out.name.empty()) lex_.fail_at(mark, "an output's name is not empty", "one without a name: output %value");
      if (g.find_output(out.name)) lex_.fail_at(mark, fmt::format("there are two outputs named '{}'", out.name));
      lex_.expect("=");
    }
    const size_t mark = lex_.mark();
    out.value = use(scope);
    if (lex_.take("aliases")) out.alias = replaced(g, scope, out.value, depth);
    out.locations = locations(here);
    refused_at(mark, out.locations, [&] {
      if (is_scratch(out.value)) throw Error("nothing may read the memory that {} works in, its last result", out.value.op()->name());
      return 0;
    });
    g.add_output(std::move(out));
  }

  /// The input whose place `by` takes, behind "aliases".
  int replaced(const Graph& g, const Scope& scope, Value by, int depth) {
    const size_t mark = lex_.mark();
    const std::string place = lex_.place();
    const Value input = use(scope);
    if (!input.is_input()) lex_.fail_at(mark, "only an input can be aliased");
    if (depth == 0) places_["aliases " + input.name()] = place;
    if (by.type() != input.type())
      lex_.fail_at(mark, fmt::format("the output is {}, but replaces the input '{}', which is {}", to_string(by.type()), input.name(),
                                     to_string(input.type())));
    if (!replaced_.emplace(&g, input.index()).second) lex_.fail_at(mark, fmt::format("the input '{}' is updated twice", input.name()));
    return input.index();
  }

  /// A type with its place in the arena.
  std::pair<Type, std::optional<int64_t>> placed() {
    auto found = literals_.placed();
    if (found.second) places_.try_emplace("offset", literals_.offset_place());
    if (found.second && *found.second < 0) places_.try_emplace("offset below 0", literals_.offset_place());
    return found;
  }

  Value use(const Scope& scope) {
    const size_t mark = lex_.mark();
    const std::string key = value_name("a value (%name)");
    const auto found = scope.find(key);
    if (found == scope.end()) lex_.fail_at(mark, "%" + key + " is not defined before this use");
    return found->second;
  }

  void op(Graph& g, Scope& scope, int depth) {
    const Location here = read_here();
    std::vector<std::pair<std::string, size_t>> results;
    do {
      const size_t mark = lex_.mark();
      results.emplace_back(value_name("'input', 'output', '}' or an op's result (%name)"), mark);
      if (plain(results.back().first).empty()) lex_.fail_at(mark, "a result's name is not empty");
    } while (lex_.take(","));
    lex_.expect("=");
    const size_t mark = lex_.mark();
    const std::string op_name = lex_.take(Token::name, "an op");
    const OpDef* def = registry().find(op_name);
    if (!def) {
      const Error unknown = unknown_op(op_name);
      lex_.fail_at(mark, unknown.message(), unknown.hint());
    }
    std::vector<Value> operands;
    lex_.expect("(");
    if (!lex_.is(")")) do
        operands.push_back(use(scope));
      while (lex_.take(","));
    lex_.expect(")");
    NamedAttributes attributes;
    std::set<std::string> given;
    if (lex_.take("{")) {
      do {
        std::string key = lex_.new_key(given, "an attribute");
        attributes.emplace_back(std::move(key), literals_.attribute());
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
    Op* created = refused_at(mark, builder.locations(),
                             [&] { return &builder.create(op_name, std::move(operands), std::move(attributes), std::move(bodies)); });
    if (static_cast<int>(results.size()) != created->result_count() || results.size() != types.size())
      lex_.fail_at(mark, fmt::format("{} has {} results, but {} names and {} types are given", op_name, created->result_count(),
                                     results.size(), types.size()));
    for (int i = 0; i < created->result_count(); ++i) {
      const auto& [type, offset] = types[static_cast<size_t>(i)];
      const Value v = created->result(i);
      if (v.type() != type) lex_.fail_at(mark, fmt::format("{} gives {}, not {}", op_name, to_string(v.type()), to_string(type)));
      v.set_offset(offset);
      define(scope, results[static_cast<size_t>(i)].first, v, results[static_cast<size_t>(i)].second);
    }
  }

  Location read_here() const { return {lex_.file(), lex_.line(), "", true}; }

  /// The source lines, if any are given, and where they are given.
  Locations locations(const Location& here) {
    if (!lex_.take("at")) return Locations({here});
    if (lex_.kind != Token::number) return lines({here});
    const size_t mark = lex_.mark();
    const std::string number = lex_.take(Token::number, "a number");
    const auto found = at_end_.find(number);
    if (found == at_end_.end()) lex_.fail_at(mark, fmt::format("no line 'at {} = ...' stands behind the program", number));
    std::vector<Location> all{here};
    all.insert(all.end(), found->second.begin(), found->second.end());
    return Locations(std::move(all), found->second.phases());
  }

  /// Behind "at", or behind "at 3 =".
  Locations lines(std::vector<Location> all) {
    do {
      Location at;
      at.file = lex_.take(Token::string, "a file name");
      lex_.expect(":");
      const size_t mark = lex_.mark();
      at.line = literals_.line_number();
      if (at.line < 0) lex_.fail_at(mark, fmt::format("a line's number is not negative, but this is {}", at.line));
      if (lex_.kind == Token::string) at.scope = lex_.take(Token::string, "a scope");
      all.push_back(std::move(at));
    } while (lex_.take(","));
    return Locations(std::move(all), lex_.take("in") ? phases() : Phases(Phase::forward));
  }

  /// One of the lines behind the program, without "at"; then again where it stands.
  void lines_at_end() {
    const size_t mark = lex_.mark();
    const std::string number = lex_.take(Token::number, "a number");
    lex_.expect("=");
    const bool is_new = at_end_marks_.try_emplace(number, mark).second;
    if (!is_new && at_end_marks_[number] != mark) lex_.fail_at(mark, fmt::format("'at {}' is given twice", number));
    at_end_[number] = lines({});
  }

  /// What stands behind the program is known before that is read, so that errors in it name the source lines.
  void find_lines_at_end() {
    const Lexer start = lex_;
    while (lex_.kind != Token::end) {
      if (!lex_.take("at") || lex_.kind != Token::number) {
        if (lex_.kind != Token::end) lex_.next();
        continue;
      }
      Lexer ahead = lex_;
      ahead.next();
      if (ahead.is("=")) lines_at_end();
    }
    lex_ = start;
  }

  Phases phases() {
    Phases all;
    do {
      const size_t mark = lex_.mark();
      const std::string given = lex_.take(Token::name, "forward, backward or update");
      const auto phase = std::find_if(std::begin(all_phases), std::end(all_phases), [&](Phase p) { return name_of(p) == given; });
      if (phase == std::end(all_phases)) lex_.fail_at(mark, "'" + given + "' is none of forward, backward and update");
      if (all.has(*phase)) lex_.fail_at(mark, "'" + given + "' is given twice");
      all.add(*phase);
    } while (lex_.take(","));
    return all;
  }

  /// What `make` gives. Its weft::Error names the token; the line where that stands is not said again behind it.
  template <class Make>
  std::invoke_result_t<Make> refused_at(size_t mark, const Locations& said, Make make) {
    try {
      return make();
    } catch (const Error& e) {
      lex_.fail_at(mark, source_lines(said).empty() ? without_place(e, said) : e.what());
    }
  }

  Lexer lex_;
  Literals literals_{lex_};
  bool may_have_end_;
  std::map<std::string, std::string, std::less<>> places_;  // of the function, see Module::places
  std::set<std::pair<const Graph*, int>> replaced_;         // inputs that outputs take the place of
  std::unordered_map<std::string, Locations> at_end_;       // by number
  std::unordered_map<std::string, size_t> at_end_marks_;    // where they stand
};

}  // namespace

Module parse(std::string_view text, const std::string& name) { return Parser(text, name).module(); }

}  // namespace weft::ir
