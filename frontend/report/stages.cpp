#include "weft/frontend/report/stages.h"

#include <algorithm>
#include <sstream>

#include "weft/ir/op_def.h"
#include "weft/ir/printer.h"
#include "weft/passes/marks.h"

namespace weft::detail {
namespace {

int number_in(std::unordered_map<std::string, int>& numbers, const std::string& key, Json& list, const Json& value) {
  const auto [at, is_new] = numbers.try_emplace(key, static_cast<int>(list.size()));
  if (is_new) list.push_back(value);
  return at->second;
}

/// Of what stays an op where a pass has put a copy of the graph in its place.
std::string look_of(const ir::Op& op) {
  std::string look = std::string(op.name()) + ir::print_attributes(op);
  for (ir::Value v : op.results()) look += to_string(v.type());
  return look + to_string(passes::without_marks(op.locations()));
}

}  // namespace

int Stages::string(const std::string& text) { return number_in(string_numbers_, text, strings_, text); }

int Stages::place(const ir::Locations& at) {
  int phases = 0;
  for (ir::Phase phase : ir::all_phases)
    if (at.phases().has(phase)) phases |= 1 << static_cast<int>(phase);
  Json lines = Json::array();
  ir::Locations shown = ir::source_lines(at);
  if (shown.empty()) shown = passes::without_marks(at);
  for (const ir::Location& line : shown) {
    if (std::find(files_.begin(), files_.end(), line.file) == files_.end()) files_.push_back(line.file);
    lines.push_back({string(line.file), line.line, string(line.scope)});
  }
  const Json value{phases, lines};
  return number_in(place_numbers_, value.dump(), places_, value);
}

Json Stages::operand(ir::Value v) const {
  if (v.is_input()) return {-1 - v.index()};
  return {ids_.at(v.op()), v.index()};
}

/// Alike loop nests have alike lines, and so has a launch of several those of each.
Json Stages::lines_of(const ir::Graph& body) {
  Json lines = Json::array();
  std::istringstream text(ir::print(body, {.lines = ir::ShownLines::none}));
  for (std::string line; std::getline(text, line);) lines.push_back(string(line));
  return lines;
}

int Stages::row(const ir::Op& op) {
  Json types = Json::array(), operands = Json::array(), bodies = Json::array();
  for (ir::Value v : op.results()) types.push_back(string(to_string(v.type()) + (v.offset() ? fmt::format(" @{}", *v.offset()) : "")));
  for (ir::Value v : op.operands()) operands.push_back(operand(v));
  for (const auto& body : op.bodies()) bodies.push_back(lines_of(*body));
  const CostRow cost = cost_of(op);
  int64_t scratch = 0;
  for (ir::Value v : op.results()) scratch += ir::is_scratch(v) ? v.type().bytes() : 0;
  const Json value{string(std::string(op.name())),
                   types,
                   string(ir::print_attributes(op)),
                   operands,
                   place(origin_lines(op)),
                   bodies,
                   cost.flops,
                   cost.read,
                   cost.written,
                   scratch};
  return number_in(row_numbers_, value.dump(), rows_, value);
}

/// Ops keep their numbers as long as their graph lives. Where another graph has come in its place, an op is the one that looked the
/// same, the first the first.
void Stages::know(const ir::Graph& graph) {
  ids_.clear();
  const bool same = graph_ == &graph;
  if (!same) by_number_.clear();
  std::unordered_map<std::string, size_t> taken;
  for (const ir::Op* op : graph.ops()) {
    const auto known = by_number_.find(op->number());
    int id = known == by_number_.end() ? -1 : known->second;
    if (!same) {
      const std::string look = look_of(*op);
      const auto before = alike_.find(look);
      if (before != alike_.end() && taken[look] < before->second.size()) id = before->second[taken[look]++];
    }
    if (id < 0) id = next_++;
    by_number_[op->number()] = id, ids_[op] = id;
  }
  graph_ = &graph;
  alike_.clear();
  for (const ir::Op* op : graph.ops()) alike_[look_of(*op)].push_back(ids_.at(op));
}

Json Stages::ops_of(const ir::Graph& graph, const std::vector<std::vector<int>>& made_of) {
  Json ops = Json::array();
  const auto phases = running_phases(graph);
  const ir::ValueNames called(graph);
  size_t place = 0;
  for (const ir::Op* op : graph.ops()) {
    Json names = Json::array();
    for (ir::Value v : op->results()) names.push_back(string(called.of(v)));
    ops.push_back(ids_.at(op));
    ops.push_back(row(*op));
    ops.push_back(static_cast<int>(phases.at(op)));
    ops.push_back(std::move(names));
    const Json numbers = made_of.empty() ? Json::array() : Json(made_of.at(place++));
    ops.push_back(number_in(made_of_numbers_, numbers.dump(), made_of_, numbers));
  }
  return ops;
}

void Stages::add(const std::string& name, const ir::Module& module, bool changed, double milliseconds,
                 const std::vector<std::vector<int>>& made_of) {
  const ir::Graph& graph = module.graph();
  Json stage{{"name", name}, {"changed", changed}, {"ms", milliseconds}};
  if (changed || stages_.empty()) {
    know(graph);
    Json inputs = Json::array(), outputs = Json::array();
    for (const ir::Input& input : graph.inputs())
      inputs.push_back({input.node->name, ir::name_of(input.role), string(to_string(input.node->type)), place(input.locations)});
    for (const ir::Output& output : graph.outputs()) outputs.push_back({output.name, operand(output.value), output.alias.value_or(-1)});
    stage["inputs"] = std::move(inputs), stage["outputs"] = std::move(outputs), stage["ops"] = ops_of(graph, made_of);
  }
  stages_.push_back(std::move(stage));
}

Json Stages::json() && {
  return {{"strings", std::move(strings_)},
          {"places", std::move(places_)},
          {"made_of", std::move(made_of_)},
          {"rows", std::move(rows_)},
          {"stages", std::move(stages_)}};
}

}  // namespace weft::detail
