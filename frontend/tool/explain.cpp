// weft explain: ops, passes and rewrites, from the definitions that the compiler itself uses.

#include "weft/frontend/tool/explain.h"

#include <CLI/CLI.hpp>

#include "weft/frontend/tool/arguments.h"
#include "weft/frontend/tool/commands.h"
#include "weft/frontend/tool/text.h"
#include "weft/passes/pass.h"
#include "weft/passes/rewrites.h"

namespace weft::tool {
namespace {

constexpr const char* pipelines[] = {"compile", "step", "simplify"};

void print_rewrites(std::string_view family, const std::vector<passes::Rewrite>& rows) {
  Table table({std::string(family), "equation"}, {Table::Column::left, Table::Column::left});
  for (const passes::Rewrite& row : rows) table.add({std::string(row.op), std::string(row.equation)});
  fmt::print("{}", table.text(output_width()));
}

/// What a pass needs or promises, a line each.
void print_facts(const char* title, const std::vector<const passes::Fact*>& facts) {
  for (const passes::Fact* fact : facts) fmt::print("{:<9} {}\n", fact == facts.front() ? title : "", fact->doc);
}

}  // namespace

void explain_pass(const std::string& name) {
  const passes::Pass& pass = passes::find_pass(name);
  fmt::print("{}: {}\n\n", pass.name, pass.doc);
  print_facts("needs", pass.needs);
  print_facts("promises", pass.promises);
  if (!pass.needs.empty() || !pass.promises.empty()) fmt::print("\n");
  for (const char* pipeline : pipelines) {
    const std::vector<std::string> names = passes::pipeline(pipeline);
    if (std::count(names.begin(), names.end(), name) == 0) continue;
    std::string line;
    for (const std::string& n : names) line += (line.empty() ? "" : " ") + (n == name ? "[" + n + "]" : n);
    fmt::print("{:<9} {}\n", pipeline, wrapped(line, std::min(output_width(), 100), 10));
  }
  fmt::print("\nweft opt FILE --print-after={0} shows a program right after it, --disable={0} leaves it out.\n", name);
  if (name == "canonicalize" || name == "simplify") fmt::print("weft explain rewrites lists the equations.\n");
}

void list_passes() {
  const std::vector<std::string> compile = passes::pipeline("compile");
  Table table({"pass", "in compile", "what it does"}, {Table::Column::left, Table::Column::left, Table::Column::cut_end});
  for (const passes::Pass& p : passes::all_passes())
    table.add({p.name, std::count(compile.begin(), compile.end(), p.name) ? "yes" : "", p.doc});
  fmt::print("{}", table.text(output_width()));
}

void list_rewrites() {
  print_rewrites("arithmetic", passes::arithmetic_rewrites());
  fmt::print("\n");
  print_rewrites("movement", passes::movement_rewrites());
  fmt::print("\n");
  print_rewrites("contraction", passes::contraction_rewrites());
  print_rewrites("window", passes::window_rewrites());
}

void add_explain(CLI::App& app) {
  CLI::App* c = app.add_subcommand("explain", "Explain an op or a pass, or list them");
  c->require_subcommand(1);
  const auto topic_with_name = [c](const char* topic, const char* doc, void (*explain)(const std::string&), const char* footer) {
    auto name = std::make_shared<std::string>();
    CLI::App* t = c->add_subcommand(topic, doc);
    t->add_option("NAME", *name)->required();
    t->footer(footer);
    refuse_empty(*t);
    t->callback([name, explain] { explain(*name); });
  };
  topic_with_name("op", "One op: what it computes, operands, attributes, gradient, what it is made of", explain_op,
                  "weft explain ops lists the names.\nExample: weft explain op softmax");
  topic_with_name("pass", "One pass: what it does and when it runs", explain_pass,
                  "weft explain passes lists the names.\nExample: weft explain pass fuse");
  c->add_subcommand("ops", "Every op on a line")->callback(list_ops);
  c->add_subcommand("passes", "Every pass on a line")->callback(list_passes);
  c->add_subcommand("rewrites", "The equations of the pass canonicalize")->callback(list_rewrites);
  c->footer("Example: weft explain op softmax");
}

}  // namespace weft::tool
