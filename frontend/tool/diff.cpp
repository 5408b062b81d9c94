// weft diff: two programs in terms of their ops.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>

#include "weft/frontend/tool/arguments.h"
#include "weft/frontend/tool/commands.h"
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
  std::vector<std::string> shown;  // with the names that values have in the program's text, and source lines
};

void add(Lines& lines, const std::string& text, const std::string& shown, const ir::Locations& locations) {
  lines.text.push_back(text);
  const ir::Locations source = ir::source_lines(locations);
  lines.shown.push_back(shown + (source.empty() ? "" : "  # " + to_string(source)));
}

/// A value by what gives it.
std::string giver_of(ir::Value v) { return "%" + (v.is_input() ? v.name() : std::string(v.op()->name())); }

void add_graph(Lines& lines, const ir::Graph& graph, const std::string& indent) {
  const ir::ValueNames names(graph);
  for (const ir::Input& input : graph.inputs()) {
    const std::string text =
        fmt::format("{}input {}: {} {}", indent, names.of(input.value()), to_string(input.node->type), name_of(input.role));
    add(lines, text, text, input.locations);
  }
  for (const ir::Op* op : graph.ops()) {
    add(lines, indent + ir::print(*op, giver_of), indent + ir::print(*op, names), op->locations());
    for (const auto& body : op->bodies()) add_graph(lines, *body, indent + "  ");
  }
  for (const ir::Output& output : graph.outputs()) {
    const auto line = [&](const std::string& value) {
      const std::string alias = output.alias ? " aliases " + names.of(graph.input(*output.alias)) : "";
      return fmt::format("{}output {} = {} {}{}", indent, output.name, value, to_string(output.value.type()), alias);
    };
    add(lines, line(giver_of(output.value)), line(names.of(output.value)), output.locations);
  }
}

Lines lines_of(const ir::Module& module) {
  Lines lines;
  ir::Module header = module.clone();
  header.set_graph(std::make_unique<ir::Graph>(module.graph().name()));
  const std::string text = ir::print(header);
  size_t start = 0;
  for (size_t end; (end = text.find('\n', start)) != std::string::npos; start = end + 1)
    if (const std::string line = text.substr(start, end - start); line != "}") add(lines, line, line, {});
  add_graph(lines, module.graph(), "  ");
  return lines;
}

/// By line of a: its partner in b, or -1; the longest such sequence, for what lies between equal starts and ends.
std::vector<int> partners(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  const size_t n = a.size(), m = b.size();
  size_t first = 0, last = 0;
  while (first < std::min(n, m) && a[first] == b[first]) ++first;
  while (last < std::min(n, m) - first && a[n - 1 - last] == b[m - 1 - last]) ++last;
  std::vector<int> partner(n, -1);
  for (size_t i = 0; i < first; ++i) partner[i] = static_cast<int>(i);
  for (size_t i = 0; i < last; ++i) partner[n - 1 - i] = static_cast<int>(m - 1 - i);
  const size_t rows = n - first - last, columns = m - first - last;
  if (rows * columns > 100'000'000) throw Error("the programs differ in too much: {} lines beside {}", rows, columns);
  std::vector<int> longest((rows + 1) * (columns + 1), 0);  // of what is left from here on
  const auto at = [&](size_t i, size_t k) -> int& { return longest[i * (columns + 1) + k]; };
  for (size_t i = rows; i-- > 0;)
    for (size_t k = columns; k-- > 0;)
      at(i, k) = a[first + i] == b[first + k] ? at(i + 1, k + 1) + 1 : std::max(at(i + 1, k), at(i, k + 1));
  for (size_t i = 0, k = 0; i < rows && k < columns;) {
    if (a[first + i] == b[first + k]) partner[first + i++] = static_cast<int>(first + k++);
    else if (at(i + 1, k) >= at(i, k + 1)) ++i;
    else ++k;
  }
  return partner;
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

void diff(const std::string& first, const std::string& second) {
  const ir::Module a = parse_program(first), b = parse_program(second);
  forget_places(a.graph()), forget_places(b.graph());
  const Lines from = lines_of(a), to = lines_of(b);
  const std::vector<int> partner = partners(from.text, to.text);
  std::string text;
  int64_t gone = 0, come = 0;
  size_t k = 0;
  const auto added_until = [&](size_t end) {
    for (; k < end; ++k, ++come) text += "+ " + to.shown[k] + "\n";
  };
  for (size_t i = 0; i < from.text.size(); ++i) {
    if (partner[i] < 0) text += "- " + from.shown[i] + "\n", ++gone;
    else added_until(static_cast<size_t>(partner[i])), ++k;
  }
  added_until(to.text.size());
  if (gone + come == 0) return;
  fmt::print("--- {}\n+++ {}\n{}", first, second, text);
  std::map<std::string, int> before, after;
  count_ops(a.graph(), before, 1), count_ops(b.graph(), after, 1);
  for (const auto& [op, count] : after) before.try_emplace(op, 0);
  Table counts({"op", "before", "after"}, {Table::Column::left, Table::Column::right, Table::Column::right});
  bool any = false;
  for (const auto& [op, count] : before)
    if (count != after[op]) counts.add({op, std::to_string(count), std::to_string(after[op])}), any = true;
  if (any) fmt::print("{}", counts.text(output_width()));
  throw Error("the programs differ: {} lines are gone, {} have come", gone, come);
}

}  // namespace

void add_diff(CLI::App& app) {
  auto files = std::make_shared<std::pair<std::string, std::string>>();
  CLI::App* c = app.add_subcommand("diff", "Say in which ops two programs differ");
  c->add_option("A", files->first, "A program in text form")->required();
  c->add_option("B", files->second, "Another one")->required();
  c->footer(
      "Names of results, comments and places in the memory do not count: operands are compared by the ops that give them.\n"
      "Exit code 1 where the programs differ.\n"
      "Example: weft diff ir/03-decompose.weft ir/04-expand.weft");
  refuse_empty(*c);
  c->callback([files] { diff(files->first, files->second); });
}

}  // namespace weft::tool
