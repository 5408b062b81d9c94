// docs/text_format.md: every production of the grammar has an example, which the parser reads and the grammar allows; and the grammar
// allows what the parser reads.

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <sstream>

#include "weft/ir/lexer.h"
#include "weft/ir/parser.h"
#include "weft/ir/printer.h"
#include "weft/tests/catch.h"

using namespace weft;
using ir::Token;

namespace {

struct Word {
  Token kind;
  std::string text;
};

std::vector<Word> words_of(const std::string& text) {
  std::vector<Word> all;
  for (ir::Lexer lex(text, "words"); lex.kind != Token::end; lex.next()) all.push_back({lex.kind, lex.text});
  return all;
}

const std::map<std::string, Token>& token_names() {
  static const std::map<std::string, Token> all = {
      {"NAME", Token::name}, {"VALUE", Token::value}, {"NUMBER", Token::number}, {"STRING", Token::string}};
  return all;
}

/// Where what begins at a word ends; none where it does not fit.
using End = std::optional<size_t>;
using Words = std::vector<Word>;
using Fits = std::function<End(const Words&, size_t)>;

/// The productions of a document, as recognizers: of `a | b` the first that fits.
class Grammar {
 public:
  explicit Grammar(const std::string& text) : words_(words_of(text)) {
    while (at_ < words_.size()) {
      const std::string name = take();
      expect("=");
      INFO("production " << name);
      REQUIRE(!productions_.contains(name));
      productions_[name] = choice();
      expect(";");
    }
  }

  bool allows(const std::string& production, const std::string& text) const {
    const Words words = words_of(text);
    return productions_.at(production)(words, 0) == words.size();
  }

  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& [name, fits] : productions_) all.push_back(name);
    return all;
  }

 private:
  const std::string& take() { return words_.at(at_++).text; }
  bool is(const char* symbol) const { return words_.at(at_).kind == Token::symbol && words_[at_].text == symbol; }
  void expect(const char* symbol) {
    INFO("expected " << symbol << ", not " << words_.at(at_).text);
    REQUIRE(is(symbol));
    ++at_;
  }

  Fits choice() {
    std::vector<Fits> all{sequence()};
    while (is("|")) ++at_, all.push_back(sequence());
    return [all](const Words& words, size_t at) -> End {
      for (const Fits& fits : all)
        if (const End end = fits(words, at)) return end;
      return std::nullopt;
    };
  }

  Fits sequence() {
    std::vector<Fits> all;
    while (!is("|") && !is(")") && !is("]") && !is("}") && !is(";")) all.push_back(item());
    return [all](const Words& words, size_t at) -> End {
      End end = at;
      for (const Fits& fits : all)
        if (end) end = fits(words, *end);
      return end;
    };
  }

  Fits item() {
    if (is("(")) return ++at_, closed(")");
    if (is("[")) {
      ++at_;
      return [inner = closed("]")](const Words& words, size_t at) -> End { return inner(words, at).value_or(at); };
    }
    if (is("{")) {
      ++at_;
      return [inner = closed("}")](const Words& words, size_t at) -> End {
        for (End end = at; end; end = inner(words, at)) at = *end;
        return at;
      };
    }
    const Word word = words_.at(at_++);
    if (word.kind == Token::string) return one([word](const Word& w) { return w.kind != Token::string && w.text == word.text; });
    if (const auto token = token_names().find(word.text); token != token_names().end())
      return one([kind = token->second](const Word& w) { return w.kind == kind; });
    return [this, name = word.text](const Words& words, size_t at) { return productions_.at(name)(words, at); };
  }

  Fits closed(const char* by) {
    Fits inner = choice();
    expect(by);
    return inner;
  }

  static Fits one(std::function<bool(const Word&)> fits) {
    return [fits](const Words& words, size_t at) -> End { return at < words.size() && fits(words[at]) ? End(at + 1) : std::nullopt; };
  }

  Words words_;
  size_t at_ = 0;
  std::map<std::string, Fits> productions_;
};

struct Document {
  std::string grammar;
  std::vector<std::pair<std::string, std::string>> examples;  // of what, and the text
};

Document read_document() {
  std::ifstream file(WEFT_SOURCE_DIR "/docs/text_format.md");
  REQUIRE(file);
  Document document;
  bool in_grammar = false, in_examples = false;
  for (std::string line; std::getline(file, line);) {
    if (line == "```") in_grammar = in_examples = false;
    else if (line == "```ebnf") in_grammar = true;
    else if (line.starts_with("```weft ")) in_examples = true, document.examples.emplace_back(line.substr(8), "");
    else if (in_grammar) document.grammar += line + "\n";
    else if (in_examples && line.empty()) document.examples.emplace_back(document.examples.back().first, "");
    else if (in_examples) document.examples.back().second += line + "\n";
  }
  return document;
}

/// A program around an example of a production, in the place of $.
const std::map<std::string, std::string>& programs_around() {
  static const std::string head = "weft 1\n", end = "\nfunc @f {\n  input %x: f32[4]\n  output y = %x\n}\n";
  const auto in_function = [](const std::string& statement) {
    return head + "func @f {\n  input %x: f32[4]\n" + statement + "\n  output y = %x\n}\nat 1 = \"net.cpp\":3\n";
  };
  static const std::map<std::string, std::string> all = {
      {"program", "$"},
      {"header", head + "$" + end},
      {"header_entry", head + "module $" + end},
      {"train", head + "$" + end},
      {"train_entry", head + "train {$, optimizer = \"sgd\"}" + end},
      {"group", head + "train {loss = \"y\", inputs = [\"x\"], optimizer = \"sgd\"}\n$" + end},
      {"group_entry", head + "train {loss = \"y\", optimizer = \"sgd\"} group \"g\" {$}" + end},
      {"strings", head + "train {inputs = $}" + end},
      {"function", head + "$"},
      {"statement", in_function("$")},
      {"input", in_function("$")},
      {"role", in_function("input %more: f32[4] $")},
      {"output", in_function("$")},
      {"op", in_function("$")},
      {"body", in_function("%a = fused(%x) : f32[4] $")},
      {"name", head + "func @$ { }"},
      {"placed", in_function("input %more: $")},
      {"type", in_function("input %more: $")},
      {"dtype", in_function("input %more: $[4]")},
      {"integers", head + "train {counters = $, optimizer = \"sgd\"}" + end},
      {"attributes", in_function("%s = sum(%x) $ : f32[1]")},
      {"attribute", head + "train {of_mine = $, optimizer = \"sgd\"}" + end},
      {"dense", head + "train {of_mine = $, optimizer = \"sgd\"}" + end},
      {"element", head + "train {of_mine = f32[2] $, optimizer = \"sgd\"}" + end},
      {"lines", in_function("input %more: f32[4] $")},
      {"places", in_function("input %more: f32[4] at $")},
      {"place", in_function("input %more: f32[4] at $")},
      {"phase", in_function("input %more: f32[4] at \"net.cpp\":3 in $")},
      {"lines_at_end", head + "func @f { }\n$"},
  };
  return all;
}

std::string program_around(const std::string& production, const std::string& example) {
  const auto found = programs_around().find(production);
  INFO("no program is known around an example of '" << production << "'");
  REQUIRE(found != programs_around().end());
  std::string text = found->second;
  return text.replace(text.find('$'), 1, example);
}

}  // namespace

TEST_CASE("every production of the grammar has examples, which the grammar allows and the parser reads", "[grammar]") {
  const Document document = read_document();
  const Grammar grammar(document.grammar);
  std::map<std::string, int> examples;
  for (const auto& [production, example] : document.examples) {
    INFO(production << ":\n" << example);
    ++examples[production];
    if (const auto token = token_names().find(production); token != token_names().end()) {
      const std::vector<Word> words = words_of(example);
      REQUIRE(words.size() == 1);
      CHECK(words[0].kind == token->second);
      continue;
    }
    CHECK(grammar.allows(production, example));
    const std::string program = program_around(production, example);
    INFO(program);
    CHECK(grammar.allows("program", program));
    CHECK_NOTHROW(ir::parse(program));
  }
  for (const std::string& production : grammar.names()) {
    INFO("'" << production << "' has no example");
    CHECK(examples[production] > 0);
  }
  CHECK(grammar.names().size() == programs_around().size());
  for (const auto& [token, kind] : token_names()) CHECK(examples[token] > 0);
}

TEST_CASE("the grammar allows every text that the parser reads", "[grammar]") {
  const Grammar grammar(read_document().grammar);
  int read = 0;
  for (const char* folder : {"/tests/programs", "/tests/fuzz/corpus/text"})
    for (const auto& entry : std::filesystem::directory_iterator(std::string(WEFT_SOURCE_DIR) + folder)) {
      if (entry.path().extension() != ".weft") continue;
      std::optional<ir::Module> module;
      const ir::ProgramText text = ir::read_text(entry.path().string());
      try {
        module = ir::parse(text.text, text.name);
      } catch (const Error&) {
        continue;  // what is wrong may still be allowed: shapes, say
      }
      ++read;
      INFO(text.name);
      CHECK(grammar.allows("program", text.text));
      for (const auto lines : {ir::ShownLines::inline_, ir::ShownLines::end, ir::ShownLines::none})
        for (const auto names : {ir::Names::derived, ir::Names::numbers})
          CHECK(grammar.allows("program", ir::print(*module, {.names = names, .lines = lines})));
    }
  CHECK(read > 100);
}

TEST_CASE("the grammar allows nothing else than what it says", "[grammar]") {
  const Grammar grammar(read_document().grammar);
  CHECK_FALSE(grammar.allows("program", "weft 2 func @f { }"));
  CHECK_FALSE(grammar.allows("program", "weft 1 func @f { output y = %x"));
  CHECK_FALSE(grammar.allows("op", "%y = exp(%x)"));
  CHECK_FALSE(grammar.allows("op", "%y = exp(%x,) : f32[4]"));
  CHECK_FALSE(grammar.allows("output", "output y = x"));
  CHECK_FALSE(grammar.allows("lines", "at net:3"));
}
