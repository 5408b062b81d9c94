#include "weft/ir/printer.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <unordered_map>

#include "weft/ir/op_def.h"

namespace weft::ir {
namespace {

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (c == '\n') result += "\\n";
    else result += c;
  }
  return result + "\"";
}

bool is_plain_name(const std::string& name) {
  if (name.empty() || name[0] == '.' || (name[0] >= '0' && name[0] <= '9')) return false;
  for (char c : name)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_' && c != '.') return false;
  return true;
}

std::string name_text(const std::string& name) { return is_plain_name(name) ? name : quoted(name); }

std::string quoted_list(const std::vector<std::string>& names) {
  std::string text = "[";
  for (const std::string& n : names) text += (text.size() > 1 ? ", " : "") + quoted(n);
  return text + "]";
}

std::string element(const Dense& d, int64_t i) {
  switch (d.type().dtype) {
    case DType::bool_: return d.integer_at(i) ? "true" : "false";
    case DType::f32: {
      // Shortest text for a float, not for the double that holds it.
      const auto value = static_cast<float>(d.at(i));
      const std::string text = fmt::format("{}", value);
      return std::isfinite(value) && text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
    }
    case DType::f64:
    case DType::bf16: return print_real(d.at(i));
    default: return std::to_string(d.integer_at(i));
  }
}

/// NaNs other than the usual one only survive as bytes.
bool needs_hex(const Dense& d) {
  const int64_t count = d.is_splat() ? 1 : d.type().shape.numel();
  if (count > 16) return true;
  if (!is_floating(d.type().dtype)) return false;
  for (int64_t i = 0; i < count; ++i) {
    if (!std::isnan(d.at(i))) continue;
    const Dense usual = Dense::splat({d.type().dtype, {}}, std::numeric_limits<double>::quiet_NaN());
    const size_t size = size_of(d.type().dtype);
    if (std::memcmp(usual.bytes().data(), d.bytes().data() + static_cast<size_t>(i) * size, size) != 0) return true;
  }
  return false;
}

std::string print_dense(const Dense& d) {
  std::string text = to_string(d.type()) + " ";
  if (needs_hex(d)) {
    text += "hex\"";
    for (std::byte b : d.bytes()) text += fmt::format("{:02x}", static_cast<unsigned>(b));
    return text + "\"";
  }
  if (d.is_splat()) return text + element(d, 0);
  text += "[";
  for (int64_t i = 0; i < d.type().shape.numel(); ++i) text += (i ? "," : "") + element(d, i);
  return text + "]";
}

std::string print_attribute(const Attribute& a) {
  switch (kind_of(a)) {
    case AttributeKind::boolean: return std::get<bool>(a) ? "true" : "false";
    case AttributeKind::integer: return std::to_string(std::get<int64_t>(a));
    case AttributeKind::real: return print_real(std::get<double>(a));
    case AttributeKind::text: return quoted(std::get<std::string>(a));
    case AttributeKind::dims: return weft::to_string(std::get<Dims>(a));
    case AttributeKind::dtype: return std::string(weft::name_of(std::get<DType>(a)));
    case AttributeKind::dense: return print_dense(std::get<Dense>(a));
  }
  return "?";
}

class Printer {
 public:
  std::string text;

  void graph(const Graph& g, int depth) {
    std::unordered_map<Value, std::string, ValueHash> names;
    for (const Input& input : g.inputs()) {
      names[input.value()] = "%" + name_text(input.node->name);
      indent(depth);
      text += fmt::format("input {}: {}", names[input.value()], placed(input.value()));
      if (input.role != Role::batch) text += fmt::format(" {}", name_of(input.role));
      locations(input.locations);
    }
    int next = 0;
    for (const auto& op : g.ops()) {
      std::string results;
      for (Value v : op->results()) {
        names[v] = "%" + std::to_string(next++);
        results += (results.empty() ? "" : ", ") + names[v];
      }
      indent(depth);
      line(*op, results, names);
      if (!op->bodies().empty()) {
        for (const auto& body : op->bodies()) {
          text += " {\n";
          graph(*body, depth + 1);
          indent(depth);
          text += "}";
        }
      }
      locations(op->locations());
    }
    for (const Output& output : g.outputs()) {
      indent(depth);
      text += "output ";
      if (!output.name.empty()) text += name_text(output.name) + " = ";
      text += names.at(output.value);
      if (output.alias) text += " aliases " + names.at(g.input(*output.alias));
      locations(output.locations);
    }
  }

  void line(const Op& op, const std::string& results, const std::unordered_map<Value, std::string, ValueHash>& names) {
    text += results + " = " + op.def().name + "(";
    for (size_t i = 0; i < op.operands().size(); ++i) {
      const auto found = names.find(op.operands()[i]);
      text += (i ? ", " : "") + (found != names.end() ? found->second : "%?");
    }
    text += ")";
    std::string attributes;
    for (size_t i = 0; i < op.attributes().size(); ++i) {
      const AttributeSpec& spec = op.def().attributes[i];
      if (spec.fallback && equal(*spec.fallback, op.attributes()[i])) continue;
      attributes += (attributes.empty() ? "" : ", ") + spec.name + " = " + print_attribute(op.attributes()[i]);
    }
    if (!attributes.empty()) text += " {" + attributes + "}";
    text += " :";
    for (int i = 0; i < op.result_count(); ++i) text += (i ? ", " : " ") + placed(op.result(i));
  }

 private:
  void indent(int depth) { text.append(static_cast<size_t>(2 * depth), ' '); }

  static std::string placed(Value v) { return to_string(v.type()) + (v.offset() ? fmt::format(" @{}", *v.offset()) : ""); }

  void locations(const Locations& known) {
    const Locations all = source_lines(known);
    for (size_t i = 0; i < all.size(); ++i) {
      text += (i ? ", " : " at ") + quoted(all[i].file) + ":" + std::to_string(all[i].line);
      if (!all[i].scope.empty()) text += " " + quoted(all[i].scope);
    }
    if (!all.empty() && all.phases() != Phase::forward) text += " in " + to_string(all.phases());
    text += "\n";
  }
};

}  // namespace

std::string print_real(double value) {
  if (std::isnan(value)) return "nan";
  const std::string text = fmt::format("{}", value);
  return std::isfinite(value) && text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

std::string print(const Graph& graph) {
  Printer p;
  p.text = fmt::format("func @{} {{\n", name_text(graph.name()));
  p.graph(graph, 1);
  return p.text + "}\n";
}

std::string print(const Op& op) {
  std::unordered_map<Value, std::string, ValueHash> names;
  for (Value v : op.operands()) names[v] = v.is_input() ? "%" + name_text(v.name()) : fmt::format("%{}", v.op()->name());
  Printer p;
  p.line(op, "%", names);
  return p.text;
}

std::string print(const Module& module) {
  std::string header;
  if (!module.target.empty()) header += " target = " + quoted(module.target);
  if (!module.stage.empty()) header += " stage = " + quoted(module.stage);
  if (module.arena_bytes) header += fmt::format(" arena = {}", *module.arena_bytes);
  std::string text = "weft 1\n";
  if (!header.empty()) text += "module" + header + "\n";
  if (const auto& train = module.train) {
    text += fmt::format("train {{loss = {}, inputs = {}, optimizer = {}", quoted(train->loss), quoted_list(train->inputs),
                        quoted(train->optimizer));
    for (const auto& [name, value] : train->attributes) text += ", " + name + " = " + print_attribute(value);
    if (train->clip_value) text += ", clip_value = true";
    if (train->clip_norm) text += ", clip_norm = true";
    if (!train->keep.empty()) text += ", keep = " + quoted_list(train->keep);
    if (!train->counters.empty()) text += ", counters = " + print_attribute(train->counters);
    text += "}\n";
    for (const TrainGroup& group : train->groups) {
      text += fmt::format("group {} {{inputs = {}, optimizer = {}", quoted(group.name), quoted_list(group.inputs), quoted(group.optimizer));
      for (const auto& [name, value] : group.attributes) text += ", " + name + " = " + print_attribute(value);
      text += "}\n";
    }
  }
  return text + print(module.graph());
}

}  // namespace weft::ir
