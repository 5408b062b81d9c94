// weft diff: two programs in terms of their ops.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>

#include "weft/frontend/tool/arguments.h"
#include "weft/frontend/tool/commands.h"
#include "weft/frontend/tool/line_matching.h"
#include "weft/frontend/tool/program_file.h"
#include "weft/frontend/tool/text.h"
#include "weft/ir/op_def.h"
#include "weft/ir/printer.h"
#include "weft/support/error.h"

namespace weft::tool {
namespace {

/// What two programs have in common or have not.
struct Lines {
  std::vector<std::string> text;   // says the same whatever values are called and wherever they stand
  std::vector<std::string> other;  // the same but for what is read, where there is anything
  std::vector<std::string> shown;  // with the names that values have in the program's text, and source lines
};

void add(Lines& lines, const std::string& text, const std::string& other, const std::string& shown, const ir::Locations& locations) {
  lines.text.push_back(text), lines.other.push_back(other);
  const ir::Locations source = ir::source_lines(locations);
  lines.shown.push_back(shown + (source.empty() ? "" : "  # " + to_string(source)));
}

/// A value by what gives it.
std::string giver_of(ir::Value v) { return "%" + (v.is_input() ? v.name() : std::string(v.op()->name())); }

std::string of_nobody(ir::Value) { return "%"; }

void add_graph(Lines& lines, const ir::Graph& graph, const std::string& indent) {
  const ir::ValueNames names(graph);
  for (const ir::Input& input : graph.inputs()) {
    const std::string text =
        fmt::format("{}input {}: {} {}", indent, names.of(input.value()), to_string(input.node->type), name_of(input.role));
    add(lines, text, text, text, input.locations);
  }
  for (const ir::Op* op : graph.ops()) {
    add(lines, indent + ir::print(*op, giver_of), indent + ir::print(*op, of_nobody), indent + ir::print(*op, names), op->locations());
    for (const auto& body : op->bodies()) add_graph(lines, *body, indent + "  ");
  }
  for (const ir::Output& output : graph.outputs()) {
    const auto line = [&](const std::string& value) {
      const std::string alias = output.alias ? " aliases " + names.of(graph.input(*output.alias)) : "";
      const std::string name = output.name.empty() ? "" : ir::name_text(output.name) + " = ";
      return fmt::format("{}output {}{} {}{}", indent, name, value, to_string(output.value.type()), alias);
    };
    add(lines, line(giver_of(output.value)), line(of_nobody(output.value)), line(names.of(output.value)), output.locations);
  }
}

Lines lines_of(const ir::Module& module) {
  Lines lines;
  ir::Module header = module.clone();
  header.set_graph(std::make_unique<ir::Graph>(module.graph().name()));
  const std::string text = ir::print(header);
  size_t start = 0;
  for (size_t end; (end = text.find('\n', start)) != std::string::npos; start = end + 1)
    if (const std::string line = text.substr(start, end - start); line != "}") add(lines, line, line, line, {});
  add_graph(lines, module.graph(), "  ");
  return lines;
}

/// Where the plan put values is nothing that a program computes.
void forget_places(const ir::Graph& graph) {
  for (const ir::Input& input : graph.inputs()) input.value().set_offset(std::nullopt);
  for (const ir::Op* op : graph.ops()) {
    for (const ir::Value v : op->results()) v.set_offset(std::nullopt);
    for (const auto& body : op->bodies()) forget_places(*body);
  }
}

void count_ops(const ir::Graph& graph, std::map<std::string, int>& counts, int by) {
  for (const ir::Op* op : graph.ops()) {
    counts[std::string(op->name())] += by;
    for (const auto& body : op->bodies()) count_ops(*body, counts, by);
  }
}

/// What two programs differ in, line by line.
class Difference {
 public:
  Difference(const Lines& from, const Lines& to) : from_(from), to_(to) {
    const std::vector<int> partner = matching_lines(from.text, to.text);
    size_t i = 0, k = 0;
    for (size_t end = 0; end <= partner.size(); ++end) {
      const bool is_last = end == partner.size();
      if (!is_last && partner[end] < 0) continue;
      const size_t other = is_last ? to.text.size() : static_cast<size_t>(partner[end]);
      between(i, end, k, other);
      i = end + 1, k = other + 1;
    }
  }

  bool empty() const { return gone_ + come_ + changed_ == 0; }
  const std::string& text() const { return text_; }
  std::string summary() const {
    const auto lines = [](int64_t count, const char* one, const char* more, const char* what) {
      return count == 1 ? fmt::format("1 line {} {}", one, what) : fmt::format("{} lines {} {}", count, more, what);
    };
    return fmt::format("{}, {}, {}", lines(gone_, "is", "are", "gone"), lines(come_, "has", "have", "come"),
                       lines(changed_, "reads", "read", "something else"));
  }

 private:
  /// Lines that have no partners: those that read something else, and what is gone and has come between them.
  void between(size_t from, size_t from_end, size_t to, size_t to_end) {
    const auto part = [](const std::vector<std::string>& all, size_t first, size_t end) {
      return std::vector<std::string>(all.begin() + static_cast<std::ptrdiff_t>(first), all.begin() + static_cast<std::ptrdiff_t>(end));
    };
    const std::vector<int> same = matching_lines(part(from_.other, from, from_end), part(to_.other, to, to_end));
    size_t k = to;
    for (size_t i = from; i < from_end; ++i) {
      if (same[i - from] < 0) {
        text_ += "- " + from_.shown[i] + "\n", ++gone_;
        continue;
      }
      for (const size_t until = to + static_cast<size_t>(same[i - from]); k < until; ++k) come(k);
      const std::string& was = from_.shown[i];
      text_ += fmt::format("~ {}\n  was {}\n", to_.shown[k++], was.substr(was.find_first_not_of(' ')));
      ++changed_;
    }
    for (; k < to_end; ++k) come(k);
  }

  void come(size_t line) { text_ += "+ " + to_.shown[line] + "\n", ++come_; }

  const Lines &from_, &to_;
  std::string text_;
  int64_t gone_ = 0, come_ = 0, changed_ = 0;
};

void diff(const std::string& first, const std::string& second) {
  const ir::Module a = parse_program(first), b = parse_program(second);
  forget_places(a.graph()), forget_places(b.graph());
  const Lines from = lines_of(a), to = lines_of(b);
  const Difference difference(from, to);
  if (difference.empty()) return;
  fmt::print("--- {}\n+++ {}\n{}", first, second, difference.text());
  std::map<std::string, int> before, after;
  count_ops(a.graph(), before, 1), count_ops(b.graph(), after, 1);
  for (const auto& [op, count] : after) before.try_emplace(op, 0);
  Table counts({"op", "before", "after"}, {Table::Column::left, Table::Column::right, Table::Column::right});
  bool any = false;
  for (const auto& [op, count] : before)
    if (count != after[op]) counts.add({op, std::to_string(count), std::to_string(after[op])}), any = true;
  if (any) fmt::print("{}", counts.text(output_width()));
  throw Error("the programs differ: {}", difference.summary());
}

}  // namespace

void add_diff(CLI::App& app) {
  auto files = std::make_shared<std::pair<std::string, std::string>>();
  CLI::App* c = app.add_subcommand("diff", "Say in which ops two programs differ");
  c->add_option("A", files->first, "A program in text form")->required();
  c->add_option("B", files->second, "Another one")->required();
  c->footer(
      "Names of results, comments and places in the memory do not count: operands are compared by the ops that give them.\n"
      "- is gone, + has come, ~ reads something else.\n"
      "Exit code 1 where the programs differ.\n"
      "Example: weft diff ir/03-decompose.weft ir/04-expand.weft");
  refuse_empty(*c);
  c->callback([files] { diff(files->first, files->second); });
}

}  // namespace weft::tool
