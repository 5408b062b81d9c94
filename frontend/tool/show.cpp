// weft show: a program as tables: its inputs, and what every op computes, moves and comes from.

#include <CLI/CLI.hpp>
#include <map>
#include <set>

#include "weft/frontend/report/cost.h"
#include "weft/frontend/report/graph_files.h"
#include "weft/frontend/report/onnx.h"
#include "weft/frontend/tool/arguments.h"
#include "weft/frontend/tool/commands.h"
#include "weft/frontend/tool/print_options.h"
#include "weft/frontend/tool/program_file.h"
#include "weft/frontend/tool/targets.h"
#include "weft/frontend/tool/text.h"
#include "weft/ir/op_def.h"
#include "weft/passes/analysis/liveness.h"
#include "weft/passes/analysis/placement.h"

namespace weft::tool {
namespace {

using Column = Table::Column;

constexpr ir::Role roles[] = {ir::Role::batch, ir::Role::parameter, ir::Role::state, ir::Role::hyper, ir::Role::key};

/// "train.cpp:31 (fc1)" for one line, "train.cpp:31,35, net.h:9" for several; nothing for an unknown line.
std::string lines_text(const ir::Locations& known) {
  const ir::Locations all = ir::source_lines(known);
  if (all.empty()) return "";
  if (all.size() == 1) return to_string(all);
  std::map<std::string, std::set<int>> lines;
  std::vector<std::string> files;
  for (const ir::Location& at : all) {
    if (!lines.contains(at.file)) files.push_back(at.file);
    lines[at.file].insert(at.line);
  }
  for (std::string& file : files) file = fmt::format("{}:{}", file, fmt::join(lines.at(file), ","));
  return fmt::format("{}", fmt::join(files, ", "));
}

/// Where a planned graph keeps values: "@offset" in the arena, or the input that is overwritten.
std::string place_text(const ir::Graph& graph, const passes::Placement& places, const ir::Op& op) {
  std::string text;
  for (ir::Value v : op.results()) {
    const passes::Place& place = places.at(v);
    std::string one;
    if (place.kind == passes::Place::Kind::arena) one = fmt::format("@{}", place.position);
    if (place.kind == passes::Place::Kind::input) one = graph.input(static_cast<int>(place.position)).name();
    text += (text.empty() ? "" : ", ") + one;
  }
  return text;
}

/// Where a planned graph keeps every value. A file may say that it is planned and not be.
passes::Placement places_of(const ir::Graph& graph) {
  for (const passes::Interval& i : passes::arena_intervals(graph))
    if (!i.value.offset())
      throw Error("the header gives the bytes of an arena, but a result of {} has no place in it", i.value.op()->name())
          .at(to_string(i.value.op()->locations()));
  return passes::placement_of(graph);
}

/// What runs the library calls of a module for a target that has a library, here: by the library's own names.
std::map<const ir::Op*, std::string> implementations(const ir::Module& module) {
  std::map<const ir::Op*, std::string> names;
  if (module.target.empty() || !module.arena_bytes) return names;
  const std::shared_ptr<const passes::Target> held = target_for(module, "");
  const passes::Target& target = *held;
  for (const auto& op : module.graph().ops()) {
    if (op->def().kind != ir::Kind::heavy || !target.claims(*op)) continue;
    try {
      if (std::string name = target.implementation(*op).name; !name.empty()) names[op] = std::move(name);
    } catch (const Error&) {
      names[op] = "nothing here";  // planned for another machine
    }
  }
  return names;
}

/// The table of ops: a graph's, with the bodies of fused ops indented below them.
class OpTable {
 public:
  OpTable(const ir::Module& module, const ir::PrintOptions& print)
      : print_(print), planned_(module.arena_bytes.has_value()), by_library_(implementations(module)), table_(titles(), columns()) {
    if (planned_) places_ = places_of(module.graph());
    add(module.graph(), 0);
    table_.rule();
    std::vector<std::string> cells{fmt::format("{} op{}", total_.ops, total_.ops == 1 ? "" : "s"), "", count_text(total_.flops),
                                   bytes_text(total_.read), bytes_text(total_.written)};
    if (!by_library_.empty()) cells.push_back("");
    if (planned_) cells.push_back("arena " + bytes_text(*module.arena_bytes));
    table_.add(std::move(cells));
  }

  std::string text(int width) const { return table_.text(width) + (print_.lines == ir::ShownLines::end ? "\n" + lines_.text(width) : ""); }

 private:
  std::vector<std::string> titles() const {
    std::vector<std::string> all{"op", "result", "FLOPs", "read", "written"};
    if (!by_library_.empty()) all.push_back("by");
    if (planned_) all.push_back("place");
    if (shows_lines()) all.push_back("source");
    return all;
  }
  std::vector<Column> columns() const {
    std::vector<Column> all{Column::left, Column::cut_end, Column::right, Column::right, Column::right};
    if (!by_library_.empty()) all.push_back(Column::cut_end);
    if (planned_) all.push_back(Column::cut_end);
    if (shows_lines()) all.push_back(Column::cut_start);
    return all;
  }

  void add(const ir::Graph& graph, int depth) {
    const ir::ValueNames names(graph, print_.names);
    for (const auto& op : graph.ops()) {
      const CostRow work = detail::cost_of(*op);
      const std::string indent(static_cast<size_t>(2 * depth), ' ');
      std::vector<std::string> cells{fmt::format("{}{} {}", indent, names.of(*op), op->name()), work.type, count_text(work.flops)};
      // Inside a body values live in registers.
      cells.push_back(depth ? "" : bytes_text(work.read));
      cells.push_back(depth ? "" : bytes_text(work.written));
      const auto by = by_library_.find(op);
      if (!by_library_.empty()) cells.push_back(by == by_library_.end() ? "" : by->second);
      if (planned_) cells.push_back(depth ? "" : place_text(graph, places_, *op));
      const std::string lines = lines_text(op->locations());
      if (shows_lines()) cells.push_back(lines);
      lines_.add({indent + names.of(*op), lines});
      table_.add(std::move(cells));
      for (const auto& body : op->bodies()) add(*body, depth + 1);
      if (depth) continue;
      ++total_.ops, total_.flops += work.flops, total_.read += work.read, total_.written += work.written;
    }
  }

  bool shows_lines() const { return print_.lines == ir::ShownLines::inline_; }

  ir::PrintOptions print_;
  bool planned_;
  std::map<const ir::Op*, std::string> by_library_;
  Table table_, lines_{{"op", "source"}, {Column::left, Column::cut_start}};
  passes::Placement places_;
  CostRow total_;
};

void show_inputs(const ir::Graph& graph, int width) {
  Table table({"input", "role", "type", "bytes", "source"},
              {Column::left, Column::left, Column::cut_end, Column::right, Column::cut_start});
  std::string totals;
  for (ir::Role role : roles) {
    int64_t bytes = 0;
    int count = 0;
    for (const ir::Input& input : graph.inputs()) {
      if (input.role != role) continue;
      table.add({input.node->name, std::string(name_of(role)), to_string(input.node->type), bytes_text(input.node->type.bytes()),
                 lines_text(input.locations)});
      bytes += input.node->type.bytes();
      ++count;
    }
    if (count) totals += fmt::format("{}{} {} ({})", totals.empty() ? "" : ", ", name_of(role), bytes_text(bytes), count);
  }
  if (totals.empty()) return;
  fmt::print("{}{}\n\n", table.text(width), totals);
}

void show_outputs(const ir::Graph& graph, int width) {
  Table table({"output", "type", "bytes", "replaces"}, {Column::left, Column::cut_end, Column::right, Column::left});
  for (const ir::Output& output : graph.outputs())
    table.add({output.name, to_string(output.value.type()), bytes_text(output.value.type().bytes()),
               output.alias ? graph.input(*output.alias).name() : ""});
  if (!graph.outputs().empty()) fmt::print("\n{}", table.text(width));
}

struct Options {
  std::string file;
  std::string onnx;
  bool json = false, dot = false, model_explorer = false;
  ir::PrintOptions print = {};
};

void show(const Options& o) {
  require_other_file("--onnx", o.onnx, {o.file});
  const ir::Module module = parse_program(o.file);
  if (!o.onnx.empty()) return write_text(o.onnx, detail::onnx_model(module.graph()));
  if (o.json) return fmt::print("{}", detail::module_json(module));
  if (o.dot) return fmt::print("{}", detail::dot_text(module.graph()));
  if (o.model_explorer) return fmt::print("{}", detail::model_explorer_text(module.graph()));
  const OpTable ops(module, o.print);
  const int width = output_width();
  fmt::print("{}: {}{}\n\n", module.graph().name(), module.stage.empty() ? "as recorded" : "after the pass " + module.stage,
             module.target.empty() ? "" : ", for the target " + module.target);
  show_inputs(module.graph(), width);
  fmt::print("{}", ops.text(width));
  show_outputs(module.graph(), width);
}

}  // namespace

void add_show(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand("show", "Show a program as a table: ops, shapes, work, memory, source lines");
  c->add_option("FILE", o->file, "The program in text form; - is standard input")->required();
  CLI::Option* json =
      c->add_flag("--json", o->json, "As JSON: work by op, layer, line and part of the step; planned, memory and calls too");
  CLI::Option* dot = c->add_flag("--dot", o->dot, "As a graph for Graphviz: weft show FILE --dot | dot -Tsvg -o graph.svg")->excludes(json);
  CLI::Option* model_explorer =
      c->add_flag("--model-explorer", o->model_explorer, "As a graph for Model Explorer: a JSON file that it opens")
          ->excludes(json)
          ->excludes(dot);
  c->add_option("--onnx", o->onnx,
                "Into this file as ONNX, for Netron: operators of ONNX where ops have an equal there,\n"
                "others of the domain \"weft\"; without the parameters' elements")
      ->excludes(json)
      ->excludes(dot)
      ->excludes(model_explorer)
      ->type_name("FILE.onnx");
  add_print_options(*c, o->print);
  c->footer(
      "FLOPs and bytes are those of one run. The ops of a fused kernel are indented below it; \"by\" is what runs a\n"
      "library call on this machine.\n"
      "Example: weft opt mlp.weft | weft show -");
  refuse_empty(*c);
  c->callback([o] { show(*o); });
}

}  // namespace weft::tool
