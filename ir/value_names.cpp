#include "weft/ir/value_names.h"

#include <fmt/format.h>

#include <algorithm>

#include "weft/ir/lexer.h"
#include "weft/ir/op_def.h"

namespace weft::ir {
namespace {

/// The output of the graph that the value is, the first where it is several.
const Output* output_of(Value v) {
  const std::vector<int>& numbers = v.node()->outputs;
  const auto first = std::min_element(numbers.begin(), numbers.end());
  if (first == numbers.end()) return nullptr;
  const Output& output = v.graph()->outputs()[static_cast<size_t>(*first)];
  return output.name.empty() ? nullptr : &output;
}

/// Behind what was made for the forward pass, among others, stands nothing; nor where the text does not say, for it has no source line.
std::string part_of(const Locations& all) {
  const Phases phases = all.phases();
  if (phases.has(Phase::forward) || std::all_of(all.begin(), all.end(), [](const Location& at) { return at.read; })) return "";
  return phases.has(Phase::backward) ? ".grad" : ".update";
}

}  // namespace

std::string name_without_number(Value v) {
  if (!given_name(v).empty()) return given_name(v);
  if (const Output* output = output_of(v)) return v.graph()->find_input(output->name) ? output->name + ".new" : output->name;
  const Op& op = *v.op();
  if (op.bodies().size() == 1 && static_cast<size_t>(v.index()) < op.body().outputs().size()) {
    const Value inside = op.body().outputs()[static_cast<size_t>(v.index())].value;
    if (!inside.is_input()) return name_without_number(inside);
  }
  const std::string layer = common_scope(op.locations());
  return layer + (layer.empty() ? "" : ".") + std::string(op.name()) + part_of(op.locations());
}

const std::string& given_name(Value v) {
  static const std::string none;
  return v.node()->given ? *v.node()->given : none;
}

void set_given_name(Value v, std::string name) {
  v.node()->given = name.empty() ? nullptr : std::make_unique<const std::string>(std::move(name));
}

ValueNames::ValueNames(const Graph& graph, Names names) {
  for (const Input& input : graph.inputs()) add(input.value(), input.node->name);
  if (names == Names::derived) {
    derive(graph);
    return;
  }
  int next = 0;
  for (const Op* op : graph.ops())
    for (Value v : op->results()) names_[v] = "%" + std::to_string(next++);
}

/// Those that are given come first, then those of outputs, so that what is derived makes room for them.
void ValueNames::derive(const Graph& graph) {
  const auto add_those = [&](auto which) {
    for (const Op* op : graph.ops())
      for (Value v : op->results())
        if (!names_.contains(v) && which(v)) add(v, name_without_number(v));
  };
  add_those([](Value v) { return !given_name(v).empty(); });
  for (const Output& output : graph.outputs())
    if (!names_.contains(output.value) && output_of(output.value)) add(output.value, name_without_number(output.value));
  add_those([](Value) { return true; });
}

void ValueNames::add(Value v, const std::string& base) {
  std::string name = base;
  while (!taken_.insert(name).second) name = fmt::format("{}.{}", base, ++last_[base]);
  names_[v] = value_text(name);
}

const std::string& ValueNames::of(Value v) const {
  static const std::string unknown = "%?";
  const auto found = names_.find(v);
  return found == names_.end() ? unknown : found->second;
}

std::string ValueNames::of(const Op& op) const {
  const std::string first = of(op.result(0));
  if (op.result_count() == 1) return first;
  if (op.result_count() == 2) return first + ", " + of(op.result(1));
  return fmt::format("{} and {} more", first, op.result_count() - 1);
}

std::string common_scope(const Locations& all) {
  std::string common;
  bool first = true;
  for (const Location& at : all) {
    if (at.scope.empty()) continue;
    if (first) common = at.scope, first = false;
    while (!common.empty() && !(at.scope + ".").starts_with(common + "."))
      common = common.substr(0, std::max<size_t>(common.rfind('.') + 1, 1) - 1);
  }
  return common;
}

bool is_number(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') result += '\\';
    if (c == '\n') result += "\\n";
    else if ((byte < 0x20 && c != '\t') || byte == 0x7f) result += fmt::format("\\x{:02x}", byte);  // none of it reaches a terminal
    else result += c;
  }
  return result + "\"";
}

std::string name_text(const std::string& name) { return is_name(name) ? name : quoted(name); }

std::string value_text(const std::string& name) {
  return "%" + (is_name("_" + name) && !name.empty() && !is_number(name) && name[0] != '.' ? name : quoted(name));
}

}  // namespace weft::ir
