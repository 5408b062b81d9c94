#include "weft/frontend/report/onnx.h"

#include <unordered_set>

#include "weft/frontend/report/onnx_nodes.h"
#include "weft/ir/op_def.h"
#include "weft/ir/printer.h"
#include "weft/ir/value_names.h"

namespace weft::detail {
namespace {

constexpr int64_t model_version = 9, operators = 20;  // of the files' format, and of the operators

/// onnx.proto's ValueInfoProto.
ProtobufMessage value_info(const std::string& name, const ir::Type& type, const std::string& doc = "") {
  ProtobufMessage shape;
  for (const int64_t extent : type.shape.dims()) shape.message(1, ProtobufMessage().integer(1, extent));
  const ProtobufMessage tensor = ProtobufMessage().integer(1, onnx_type(type.dtype)).message(2, shape);
  ProtobufMessage m = ProtobufMessage().text(1, name).message(2, ProtobufMessage().message(1, tensor));
  if (!doc.empty()) m.text(3, doc);
  return m;
}

/// An attribute as ONNX has them.
OnnxNodes::Attribute attribute_of(const ir::Attribute& value) {
  if (const auto* x = std::get_if<bool>(&value)) return int64_t{*x};
  if (const auto* x = std::get_if<DType>(&value)) return std::string(name_of(*x));
  if (const auto* x = std::get_if<int64_t>(&value)) return *x;
  if (const auto* x = std::get_if<double>(&value)) return *x;
  if (const auto* x = std::get_if<std::string>(&value)) return *x;
  if (const auto* x = std::get_if<Dims>(&value)) return *x;
  return std::get<ir::Dense>(value);
}

class OnnxModel {
 public:
  explicit OnnxModel(const ir::Graph& graph) : graph_(graph), names_(graph) {}

  std::string bytes() {
    take_names();
    for (const ir::Input& input : graph_.inputs())
      whole_.message(11, value_info(name_of(input.value()), input.node->type, fmt::format("{}", ir::name_of(input.role))));
    for (const ir::Op* op : graph_.ops()) add(*op);
    add_outputs();
    for (const ProtobufMessage& node : nodes_.nodes()) whole_.message(1, node);
    for (const ProtobufMessage& tensor : nodes_.initializers()) whole_.message(5, tensor);
    whole_.text(2, graph_.name());
    ProtobufMessage model;
    model.integer(1, model_version).text(2, "weft").message(7, whole_);
    model.message(8, ProtobufMessage().text(1, "").integer(2, operators));
    model.message(8, ProtobufMessage().text(1, "weft").integer(2, 1));
    return model.bytes();
  }

 private:
  /// As the text names it, without the "%" and quotes.
  std::string name_of(ir::Value v) const {
    if (v.is_input()) return v.name();
    std::string name = names_.of(v).substr(1);
    if (name.size() > 1 && name.front() == '"') name = name.substr(1, name.size() - 2);
    return name;
  }
  std::vector<std::string> names_of(const auto& values) const {
    std::vector<std::string> all;
    for (const ir::Value v : values) all.push_back(name_of(v));
    return all;
  }

  void take_names() {
    for (const ir::Input& input : graph_.inputs()) nodes_.take(name_of(input.value()));
    for (const ir::Op* op : graph_.ops())
      for (const ir::Value v : op->results()) nodes_.take(name_of(v));
  }

  void add(const ir::Op& op) {
    const OnnxOp one{op, names_of(op.operands()), names_of(op.results()), nodes_};
    nodes_.begin(one.results.empty() ? std::string(op.name()) : one.results[0], to_string(op.locations()));
    if (!add_equal_nodes(one)) add_own(one);
    for (const ir::Value v : op.results()) whole_.message(13, value_info(name_of(v), v.type()));
  }

  /// An op that ONNX has not.
  void add_own(const OnnxOp& one) {
    OnnxNodes::Attributes attributes;
    const auto& definitions = one.op.def().attributes;
    for (size_t i = 0; i < definitions.size(); ++i) attributes.emplace_back(definitions[i].name, attribute_of(one.op.attributes()[i]));
    for (size_t i = 0; i < one.op.bodies().size(); ++i)
      attributes.emplace_back(i == 0 ? "body" : fmt::format("body{}", i), ir::print(*one.op.bodies()[i]));
    nodes_.add(std::string(one.op.name()), one.operands, one.results, attributes, "weft");
  }

  /// An output is a value by its name, and no two are the same. What is called otherwise, and does not replace an input, whose name it then
  /// cannot have, is a node of its own.
  void add_outputs() {
    std::unordered_set<std::string> used;
    for (const ir::Output& output : graph_.outputs()) {
      std::string name = name_of(output.value);
      if (output.value.is_input() || used.contains(name) || (name != output.name && !output.alias)) {
        nodes_.begin(output.name, to_string(output.locations));
        const std::string own = nodes_.fresh(output.name);
        nodes_.add("Identity", {name}, std::vector<std::string>{own});
        name = own;
      }
      used.insert(name);
      whole_.message(12, value_info(name, output.value.type()));
    }
  }

  const ir::Graph& graph_;
  ir::ValueNames names_;
  OnnxNodes nodes_;
  ProtobufMessage whole_;
};

}  // namespace

std::string onnx_model(const ir::Graph& graph) { return OnnxModel(graph).bytes(); }

}  // namespace weft::detail
