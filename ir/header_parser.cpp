#include "weft/ir/header_parser.h"

#include <set>

#include "weft/support/error.h"

namespace weft::ir {
namespace {

class HeaderParser {
 public:
  HeaderParser(Lexer& lex, Literals& literals) : lex_(lex), literals_(literals) {}

  void header(Module& m) {
    std::set<std::string> given;
    while (lex_.kind == Token::name && !lex_.is("train") && !lex_.is("func")) {
      const size_t mark = lex_.mark();
      const std::string key = lex_.new_key(given, "a header entry");
      m.places[key] = lex_.place();
      if (key == "target") m.target = lex_.take(Token::string, "a string");
      else if (key == "stage") m.stage = lex_.take(Token::string, "a string");
      else if (key == "arena") m.arena_bytes = bytes();
      else
        lex_.fail_at(mark, "unknown header entry '" + key + "'; known are target, stage, arena",
                     did_you_mean(key, {"target", "stage", "arena"}));
    }
  }

  void train(Module& m) {
    TrainSpec spec;
    std::set<std::string> given;
    const size_t start = lex_.mark();
    lex_.expect("{");
    do {
      const std::string key = lex_.new_key(given, "an entry of the train block");
      m.places[key] = lex_.place();
      if (key == "loss") spec.loss = lex_.take(Token::string, "a string");
      else if (key == "inputs") spec.inputs = strings(m, "inputs ");
      else if (key == "optimizer") spec.optimizer = lex_.take(Token::string, "a string");
      else if (key == "keep") spec.keep = strings(m, "keep ");
      else if (key == "clip_value") spec.clip_value = switched();
      else if (key == "clip_norm") spec.clip_norm = switched();
      else if (key == "counters") spec.counters = integers();
      else spec.attributes.emplace_back(key, literals_.attribute());
    } while (lex_.take(","));
    lex_.expect("}");
    while (lex_.take("group")) spec.groups.push_back(group(m));
    if (spec.optimizer.empty())
      if (const std::string without = without_optimizer(spec); !without.empty())
        lex_.fail_at(start, fmt::format("a train block without an optimizer asks for gradients, and has no {}", without));
    m.train = std::move(spec);
  }

 private:
  int64_t bytes() {
    const size_t mark = lex_.mark();
    const int64_t count = literals_.integer();
    if (count < 0) lex_.fail_at(mark, fmt::format("a number of bytes is not negative, but this is {}", count));
    return count;
  }

  /// What says how to update, by the name that it has in the text.
  static std::string without_optimizer(const TrainSpec& spec) {
    if (!spec.attributes.empty()) return "'" + spec.attributes[0].first + "'";
    if (spec.clip_value || spec.clip_norm) return spec.clip_value ? "'clip_value'" : "'clip_norm'";
    if (!spec.keep.empty()) return "'keep': all are kept";
    return !spec.counters.empty() ? "'counters'" : !spec.groups.empty() ? "groups" : "";
  }

  TrainGroup group(Module& m) {
    const std::string place = lex_.place();
    TrainGroup group{.name = lex_.take(Token::string, "the group's name, a string")};
    const std::string entry = "group " + group.name;
    m.places[entry] = place;
    std::set<std::string> given;
    lex_.expect("{");
    do {
      const std::string key = lex_.new_key(given, "an entry of the group");
      m.places[entry + " " + key] = lex_.place();
      if (key == "inputs") group.inputs = strings(m, "inputs ");
      else if (key == "optimizer") group.optimizer = lex_.take(Token::string, "a string");
      else group.attributes.emplace_back(key, literals_.attribute());
    } while (lex_.take(","));
    lex_.expect("}");
    return group;
  }

  bool switched() {
    const size_t mark = lex_.mark();
    const Attribute given = literals_.attribute();
    if (const bool* on = std::get_if<bool>(&given)) return *on;
    lex_.fail_at(mark, "expected true or false");
  }

  Dims integers() {
    const size_t mark = lex_.mark();
    const Attribute given = literals_.attribute();
    if (const Dims* all = std::get_if<Dims>(&given)) return *all;
    lex_.fail_at(mark, "expected a list of integers");
  }

  /// Each has its place, behind `list` ("inputs ").
  std::vector<std::string> strings(Module& m, const std::string& list) {
    std::vector<std::string> all;
    lex_.expect("[");
    if (!lex_.is("]")) do {
        std::string place = lex_.place();
        all.push_back(lex_.take(Token::string, "a string"));
        m.places[list + all.back()] = std::move(place);
      } while (lex_.take(","));
    lex_.expect("]");
    return all;
  }

  Lexer& lex_;
  Literals& literals_;
};

}  // namespace

void parse_header(Lexer& lex, Literals& literals, Module& module) {
  HeaderParser parser(lex, literals);
  if (lex.take("module")) parser.header(module);
  const std::string place = lex.place();
  if (!lex.take("train")) return;
  module.places["train"] = place;
  parser.train(module);
}

}  // namespace weft::ir
