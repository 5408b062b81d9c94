#include "weft/ir/printer.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <unordered_map>

#include "weft/ir/op_def.h"

namespace weft::ir {
namespace {

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
    case DType::f16:
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
  explicit Printer(const PrintOptions& options) : options_(options) {}

  std::string text;

  void graph(const Graph& g, int depth) {
    const ValueNames names(g, options_.names);
    for (const Input& input : g.inputs()) {
      indent(depth);
      text += fmt::format("input {}: {}", names.of(input.value()), placed(input.value()));
      if (input.role != Role::batch) text += fmt::format(" {}", name_of(input.role));
      locations(input.locations);
    }
    for (const auto& op : g.ops()) {
      indent(depth);
      line(*op, [&](Value v) { return names.of(v); });
      for (const auto& body : op->bodies()) {
        text += " {\n";
        graph(*body, depth + 1);
        indent(depth);
        text += "}";
      }
      locations(op->locations());
    }
    for (const Output& output : g.outputs()) {
      indent(depth);
      text += "output ";
      if (!output.name.empty()) text += name_text(output.name) + " = ";
      text += names.of(output.value);
      if (output.alias) text += " aliases " + names.of(g.input(*output.alias));
      locations(output.locations);
    }
  }

  template <class NameOf>
  void line(const Op& op, const NameOf& name_of) {
    for (Value v : op.results()) text += (v.index() ? ", " : "") + name_of(v);
    text += " = ";
    call(op, name_of);
  }

  template <class NameOf>
  void call(const Op& op, const NameOf& name_of) {
    text += op.def().name + "(";
    for (size_t i = 0; i < op.operands().size(); ++i) text += (i ? ", " : "") + name_of(op.operands()[i]);
    text += ")";
    if (const std::string attributes = print_attributes(op); !attributes.empty()) text += " {" + attributes + "}";
    text += " :";
    for (int i = 0; i < op.result_count(); ++i) text += (i ? ", " : " ") + placed(op.result(i));
  }

  /// What `at 3` stands for, each on a line of its own.
  void lines_at_end() {
    for (size_t i = 0; i < at_end_.size(); ++i) text += fmt::format("at {} ={}\n", i + 1, at_end_[i]);
  }

 private:
  void indent(int depth) { text.append(static_cast<size_t>(2 * depth), ' '); }

  static std::string placed(Value v) { return to_string(v.type()) + (v.offset() ? fmt::format(" @{}", *v.offset()) : ""); }

  static std::string lines_text(const Locations& all) {
    std::string lines;
    for (size_t i = 0; i < all.size(); ++i) {
      lines += (i ? ", " : " ") + quoted(all[i].file) + ":" + std::to_string(all[i].line);
      if (!all[i].scope.empty()) lines += " " + quoted(all[i].scope);
    }
    return lines + (all.phases() != Phase::forward ? " in " + to_string(all.phases()) : "");
  }

  void locations(const Locations& known) {
    const Locations all = options_.lines == ShownLines::none ? Locations() : source_lines(known);
    if (!all.empty() && options_.lines == ShownLines::end) {
      const auto [at, is_new] = end_numbers_.try_emplace(lines_text(all), at_end_.size() + 1);
      if (is_new) at_end_.push_back(at->first);
      text += fmt::format(" at {}", at->second);
    } else if (!all.empty()) {
      text += " at" + lines_text(all);
    }
    text += "\n";
  }

  PrintOptions options_;
  std::unordered_map<std::string, size_t> end_numbers_;
  std::vector<std::string> at_end_;
};

void add_graph(Printer& p, const Graph& graph) {
  p.text += fmt::format("func @{} {{\n", name_text(graph.name()));
  p.graph(graph, 1);
  p.text += "}\n";
  p.lines_at_end();
}

}  // namespace

std::string print_real(double value) {
  if (std::isnan(value)) return "nan";
  const std::string text = fmt::format("{}", value);
  return std::isfinite(value) && text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

std::string print_attributes(const Op& op) {
  std::string attributes;
  for (size_t i = 0; i < op.attributes().size(); ++i) {
    const AttributeSpec& spec = op.def().attributes[i];
    if (spec.fallback && equal(*spec.fallback, op.attributes()[i])) continue;
    attributes += (attributes.empty() ? "" : ", ") + spec.name + " = " + print_attribute(op.attributes()[i]);
  }
  return attributes;
}

std::string print(const Graph& graph, const PrintOptions& options) {
  Printer p(options);
  add_graph(p, graph);
  return std::move(p.text);
}

std::string print(const Op& op, const std::function<std::string(Value)>& name_of) {
  Printer p({});
  p.call(op, name_of);
  return std::move(p.text);
}

std::string print(const Op& op, const ValueNames& names) {
  Printer p({});
  p.line(op, [&](Value v) { return names.of(v); });
  return std::move(p.text);
}

std::string print(const Op& op) { return print(op, ValueNames(op.graph())); }

std::string print(const Module& module, const PrintOptions& options) {
  std::string header;
  if (!module.target.empty()) header += " target = " + quoted(module.target);
  if (!module.stage.empty()) header += " stage = " + quoted(module.stage);
  if (module.arena_bytes) header += fmt::format(" arena = {}", *module.arena_bytes);
  Printer p(options);
  std::string& text = p.text;
  text = "weft 1\n";
  if (!header.empty()) text += "module" + header + "\n";
  if (const auto& train = module.train) {
    text += fmt::format("train {{loss = {}, inputs = {}", quoted(train->loss), quoted_list(train->inputs));
    if (!train->optimizer.empty()) text += ", optimizer = " + quoted(train->optimizer);
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
  add_graph(p, module.graph());
  return std::move(p.text);
}

}  // namespace weft::ir
