#include "weft/frontend/report/graph_files.h"

#include <algorithm>
#include <map>

#include "weft/frontend/report/json.h"
#include "weft/ir/op_def.h"
#include "weft/ir/value_names.h"
#include "weft/support/utf8.h"

namespace weft::detail {
namespace {

std::string quoted(const std::string& text) {
  std::string all = "\"";
  for (char c : escaped_outside_utf8(text)) {
    if (c == '"' || c == '\\') all += '\\';
    all += c;
  }
  return all + "\"";
}

/// Inputs and ops by number, inputs first.
class Numbers {
 public:
  explicit Numbers(const ir::Graph& graph) : next_(static_cast<int>(graph.inputs().size())) {
    for (const ir::Op* op : graph.ops()) of_[op] = next_++;
  }
  int of(const ir::Op& op) const { return of_.at(&op); }
  int of(ir::Value v) const { return v.is_input() ? v.index() : of(*v.op()); }

 private:
  std::unordered_map<const ir::Op*, int> of_;
  int next_;
};

constexpr const char* fills[] = {"#e6effc", "#fcefe2", "#e4f4e9"};  // by phase

}  // namespace

std::string dot_text(const ir::Graph& graph) {
  const Numbers numbers(graph);
  const auto phases = running_phases(graph);
  std::string text =
      fmt::format("digraph {} {{\n  node [shape = box, style = \"rounded,filled\", fontname = sans];\n", quoted(graph.name()));
  for (const ir::Input& input : graph.inputs())
    text += fmt::format("  n{} [shape = ellipse, fillcolor = \"#eee9f8\", label = {}];\n", input.value().index(),
                        quoted(input.node->name + "\n" + to_string(input.node->type)));
  std::map<std::string, std::string> clusters;
  for (const ir::Op* op : graph.ops()) {
    const ir::Phase phase = phases.at(op);
    const std::string layer = ir::common_scope(origin_lines(*op));
    clusters[layer.empty() ? "" : fmt::format("{} ({})", layer, ir::name_of(phase))] +=
        fmt::format("  n{} [fillcolor = \"{}\", label = {}, tooltip = {}];\n", numbers.of(*op), fills[static_cast<int>(phase)],
                    quoted(std::string(op->name()) + "\n" + cost_of(*op).type), quoted(to_string(op->locations())));
  }
  int cluster = 0;
  for (const auto& [layer, nodes] : clusters)
    text += layer.empty() ? nodes : fmt::format("  subgraph cluster_{} {{\n  label = {};\n{}  }}\n", cluster++, quoted(layer), nodes);
  for (const ir::Op* op : graph.ops())
    for (ir::Value v : op->operands()) text += fmt::format("  n{} -> n{};\n", numbers.of(v), numbers.of(*op));
  for (size_t i = 0; i < graph.outputs().size(); ++i) {
    const ir::Output& output = graph.outputs()[i];
    text += fmt::format("  out{0} [shape = ellipse, label = {1}];\n  n{2} -> out{0};\n", i, quoted(output.name), numbers.of(output.value));
  }
  return text + "}\n";
}

std::string model_explorer_text(const ir::Graph& graph) {
  const Numbers numbers(graph);
  const auto phases = running_phases(graph);
  Json nodes = Json::array();
  const auto attribute = [](const std::string& key, const std::string& value) { return Json{{"key", key}, {"value", value}}; };
  const auto add = [&](int number, const std::string& label, const std::string& layer, Json attributes,
                       const std::vector<ir::Value>& operands, const std::vector<std::string>& types) {
    Json edges = Json::array(), outputs = Json::array();
    for (size_t i = 0; i < operands.size(); ++i)
      edges.push_back({{"sourceNodeId", std::to_string(numbers.of(operands[i]))},
                       {"sourceNodeOutputId", std::to_string(operands[i].is_input() ? 0 : operands[i].index())},
                       {"targetNodeInputId", std::to_string(i)}});
    for (size_t i = 0; i < types.size(); ++i)
      outputs.push_back({{"id", std::to_string(i)}, {"attrs", Json::array({attribute("tensor_shape", types[i])})}});
    nodes.push_back({{"id", std::to_string(number)},
                     {"label", label},
                     {"namespace", layer},
                     {"attrs", std::move(attributes)},
                     {"incomingEdges", edges},
                     {"outputsMetadata", outputs}});
  };
  for (const ir::Input& input : graph.inputs())
    add(input.value().index(), input.node->name, "inputs", Json::array({attribute("role", std::string(name_of(input.role)))}), {},
        {to_string(input.node->type)});
  for (const ir::Op* op : graph.ops()) {
    std::string layer = ir::common_scope(origin_lines(*op));
    std::replace(layer.begin(), layer.end(), '.', '/');
    const std::string phase(ir::name_of(phases.at(op)));
    const CostRow cost = cost_of(*op);
    std::vector<std::string> types;
    for (ir::Value v : op->results()) types.push_back(to_string(v.type()));
    add(numbers.of(*op), std::string(op->name()), layer.empty() ? phase : phase + "/" + layer,
        Json::array({attribute("source", to_string(op->locations())), attribute("flops", fmt::format("{}", cost.flops)),
                     attribute("bytes", fmt::format("{}", cost.bytes()))}),
        op->operands(), types);
  }
  for (size_t i = 0; i < graph.outputs().size(); ++i) {
    const ir::Output& output = graph.outputs()[i];
    add(static_cast<int>(graph.inputs().size() + graph.ops().size() + i), output.name, "outputs", Json::array(), {output.value}, {});
  }
  return text_of({{"label", graph.name()}, {"graphs", Json::array({Json{{"id", graph.name()}, {"nodes", std::move(nodes)}}})}});
}

std::string module_json(const ir::Module& module) {
  Json json{
      {"program", module.graph().name()}, {"stage", module.stage}, {"target", module.target}, {"cost", to_json(cost_of(module.graph()))}};
  if (module.arena_bytes) {
    json["memory"] = to_json(memory_plan(module));
    json["calls"] = to_json(Fusion{fused_calls(module.graph(), {}), {}})["calls"];
  }
  return text_of(json);
}

}  // namespace weft::detail
