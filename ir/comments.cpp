#include "weft/ir/comments.h"

#include <algorithm>
#include <set>
#include <sstream>

#include "weft/ir/lexer.h"

namespace weft::ir {
namespace {

struct Line {
  std::string code, comment;  // without blanks around them
};

std::string trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r"), last = text.find_last_not_of(" \t\r");
  return first == std::string_view::npos ? "" : std::string(text.substr(first, last - first + 1));
}

/// '#' inside of a string is none of a comment.
Line cut(std::string_view text) {
  bool inside = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (inside && text[i] == '\\') ++i;
    else if (text[i] == '"') inside = !inside;
    else if (text[i] == '#' && !inside) return {trimmed(text.substr(0, i)), trimmed(text.substr(i))};
  }
  return {trimmed(text), ""};
}

/// The line of the text that it was read from, or made of; 0: none.
int line_read(const Locations& locations) {
  for (const Location& at : locations)
    if (at.read) return at.line;
  return 0;
}

/// The lines of statements, with what parts of a step they are for.
using Statements = std::map<int, Phases>;

void add_statements(const Graph& graph, Statements& all) {
  const auto add = [&](const Locations& locations) { all.emplace(line_read(locations), locations.phases()); };
  for (const Input& input : graph.inputs()) add(input.locations);
  for (const Output& output : graph.outputs()) add(output.locations);
  for (const Op* op : graph.ops()) {
    add(op->locations());
    for (const auto& body : op->bodies()) add_statements(*body, all);
  }
}

/// The word that a line before the function's begins with; empty for one that goes on.
std::string header_word(const std::string& line) {
  const std::string word = line.substr(0, line.find_first_of(" {@"));
  for (const char* known : {"weft", "module", "train", "group", "func"})
    if (word == known) return word;
  return "";
}

/// Which statement each line with code is of.
class Code {
 public:
  /// `statements` are the lines on which some start.
  Code(std::string_view text, const std::set<int>& statements) {
    std::vector<int> open;  // the statements whose braces these are
    int current = 0, line = 0;
    for (Lexer lex(text, ""); lex.kind != Token::end; lex.next()) {
      const bool is_first = lex.line() != line, starts = is_first && statements.contains(lex.line());
      line = lex.line();
      if (starts) current = line;
      if (lex.is("{")) open.push_back(current);
      const bool closes = lex.is("}") && !open.empty();
      if (closes) current = open.back(), open.pop_back();
      // A train block has braces of its own; the function's come last, and lines of the source behind them.
      if (closes && open.empty()) end_ = line;
      if (is_first) lines_[line] = {starts, closes};
      lines_[line].owner = current;
    }
  }

  /// The statement whose last word on this line is.
  int owner(int line) const { return lines_.at(line).owner; }
  bool closes(int line) const { return line == end_; }
  bool behind_end(int line) const { return line > end_; }

  /// Where a comment on a line of its own goes.
  std::vector<std::string>& place_of_line(int at, Comments& all) const {
    const auto next = lines_.upper_bound(at);
    if (next == lines_.end() || at > end_) return all.behind;
    if (next->second.starts) return all.above[next->first];
    if (next->first == end_ && next->second.closes) return all.before_end;
    const int before = next == lines_.begin() ? 0 : std::prev(next)->second.owner;
    return next->second.closes ? all.below[before] : all.above[before];
  }

 private:
  struct Line {
    bool starts = false, closes = false;  // with its first word: a statement, a body
    int owner = 0;
  };
  std::map<int, Line> lines_;
  int end_ = 0;  // of the function
};

}  // namespace

Comments comments_of(std::string_view text, const Module& module) {
  Comments all;
  add_statements(module.graph(), all.phases);
  all.phases.erase(0);
  std::set<int> statements;
  for (const auto& [line, phases] : all.phases) statements.insert(line);
  for (const Input& input : module.graph().inputs()) all.inputs.insert(input.value().name());
  for (const Output& output : module.graph().outputs()) all.outputs.insert(output.name);
  std::istringstream lines{std::string(text.starts_with("\xef\xbb\xbf") ? text.substr(3) : text)};
  std::vector<std::pair<int, std::string>> own, behind_code;  // with their lines
  bool in_function = false;
  int number = 0;
  for (std::string raw; std::getline(lines, raw);) {
    const Line line = cut(raw);
    ++number;
    if (!line.code.empty()) {
      const std::string word = in_function ? "" : header_word(line.code);
      if (!word.empty() && !statements.contains(number)) statements.insert(number), all.headers.emplace_back(word, number);
      in_function = in_function || word == "func";
    }
    if (!line.comment.empty()) (line.code.empty() ? own : behind_code).emplace_back(number, line.comment);
  }
  const Code code(text, statements);
  for (const auto& [at, comment] : own) code.place_of_line(at, all).push_back(comment);
  for (const auto& [at, comment] : behind_code) {
    if (code.behind_end(at)) {
      all.behind.push_back(comment);
      continue;
    }
    std::string& beside = code.closes(at) ? all.beside_end : all.beside[code.owner(at)];
    if (beside.empty()) beside = comment;
    else beside += " " + comment.substr(std::min(comment.find_first_not_of("# "), comment.size()));
  }
  return all;
}

namespace {

/// Puts comments into a printed text, whose lines stand in the order of what they print.
class Weaver {
 public:
  Weaver(const std::string& text, const Comments& comments) : lines_(text), comments_(comments) {}

  std::string run(const Module& module) {
    auto headers = comments_.headers;
    for (bool in_function = false; !in_function && std::getline(lines_, line_);) {
      const std::string word = header_word(line_);
      const auto same = std::find_if(headers.begin(), headers.end(), [&](const auto& header) { return header.first == word; });
      const int statement = same == headers.end() ? 0 : same->second;
      if (put(statement, 0)) put_lines(comments_.below, statement, 0);
      if (same != headers.end()) headers.erase(same);
      in_function = word == "func";
    }
    graph(module.graph(), 1);
    for (const std::string& comment : comments_.before_end) text_ += "  " + comment + "\n";
    std::getline(lines_, line_);  // the brace
    text_ += line_ + (comments_.beside_end.empty() ? "" : "  " + comments_.beside_end) + "\n";
    while (std::getline(lines_, line_)) text_ += line_ + "\n";  // source lines
    for (const std::string& comment : comments_.behind) text_ += comment + "\n";
    return std::move(text_);
  }

 private:
  /// The line at hand, with what belongs to a statement of the text. Returns whether that has not been printed before.
  bool put(int statement, int depth) {
    const bool is_new = statement > 0 && used_.insert(statement).second;
    if (is_new) put_lines(comments_.above, statement, depth);
    text_ += line_;
    if (const auto beside = comments_.beside.find(statement); is_new && beside != comments_.beside.end()) text_ += "  " + beside->second;
    text_ += "\n";
    return is_new;
  }

  void put_lines(const std::map<int, std::vector<std::string>>& of, int statement, int depth) {
    if (const auto found = of.find(statement); found != of.end())
      for (const std::string& comment : found->second) text_ += std::string(static_cast<size_t>(2 * depth), ' ') + comment + "\n";
  }

  void statement(const Locations& locations, int depth) {
    std::getline(lines_, line_);
    const int number = statement_of(locations);
    if (put(number, depth)) put_lines(comments_.below, number, depth);
  }

  /// The line of which it still is what was read there; 0: none. A gradient of it is something else.
  int statement_of(const Locations& locations) const {
    const int line = line_read(locations);
    const auto read = comments_.phases.find(line);
    const auto for_both = [&](Phase phase) { return read->second.has(phase) && locations.phases().has(phase); };
    return read != comments_.phases.end() && std::any_of(std::begin(all_phases), std::end(all_phases), for_both) ? line : 0;
  }

  static bool holds(const Graph& graph, int line) {
    Statements all;
    add_statements(graph, all);
    return all.contains(line);
  }

  void graph(const Graph& g, int depth) {
    const bool is_body = depth > 1;
    for (const Input& input : g.inputs())
      statement(is_body || comments_.inputs.contains(input.value().name()) ? input.locations : Locations(), depth);
    for (const Op* op : g.ops()) {
      // What passes have put into a body takes its comments there.
      const int line = statement_of(op->locations());
      const bool inside = std::any_of(op->bodies().begin(), op->bodies().end(), [&](const auto& body) { return holds(*body, line); });
      std::getline(lines_, line_);
      const bool is_new = put(inside ? 0 : line, depth);
      for (const auto& body : op->bodies()) {
        graph(*body, depth + 1);
        std::getline(lines_, line_);  // the brace, and where the next body begins
        text_ += line_ + "\n";
      }
      if (is_new) put_lines(comments_.below, line, depth);
    }
    for (const Output& output : g.outputs())
      statement(is_body || comments_.outputs.contains(output.name) ? output.locations : Locations(), depth);
  }

  std::istringstream lines_;
  const Comments& comments_;
  std::string line_, text_;
  std::set<int> used_;
};

}  // namespace

std::string print(const Module& module, const Comments& comments, const PrintOptions& options) {
  return Weaver(print(module, options), comments).run(module);
}

}  // namespace weft::ir
