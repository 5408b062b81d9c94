#include "weft/passes/shrink_extents.h"

#include <algorithm>
#include <unordered_map>

#include "weft/ir/builder.h"
#include "weft/ir/value_names.h"

namespace weft::passes {
namespace {

class Resizer {
 public:
  Resizer(const ir::Module& module, int64_t from, int64_t to) : from_(from), to_(to), resized_(module.graph().name()) {
    resized_.target = module.target;
    resized_.stage = module.stage;
    resized_.train = module.train;
  }

  /// Throws weft::Error where an op refuses.
  ir::Module run(const ir::Graph& graph) && {
    ir::Graph& to = resized_.graph();
    for (const ir::Input& input : graph.inputs())
      values_[input.value()] = to.add_input(input.node->name, resized(input.node->type), input.role, input.locations);
    for (const ir::Op* op : graph.ops()) copy(*op);
    for (ir::Output output : graph.outputs()) {
      output.value = values_.at(output.value);
      to.add_output(std::move(output));
    }
    return std::move(resized_);
  }

 private:
  Dims resized(Dims dims) const {
    std::replace(dims.begin(), dims.end(), from_, to_);
    return dims;
  }
  ir::Type resized(const ir::Type& type) const { return {type.dtype, Shape(resized(type.shape.dims()))}; }

  void copy(const ir::Op& op) {
    if (!op.bodies().empty()) throw Error("{} has a body", op.name());
    ir::NamedAttributes changed;
    for (size_t i = 0; i < op.attributes().size(); ++i) {
      const ir::Attribute& attribute = op.attributes()[i];
      const std::string& name = op.def().attributes[i].name;
      if (const auto* dims = std::get_if<Dims>(&attribute); dims && *dims == op.result().shape().dims())
        changed.emplace_back(name, resized(*dims));
      if (const auto* elements = std::get_if<ir::Dense>(&attribute)) changed.emplace_back(name, resized(*elements));
    }
    std::vector<ir::Value> operands;
    for (ir::Value v : op.operands()) operands.push_back(values_.at(v));
    const ir::Op& made = ir::Builder(resized_.graph(), nullptr, op.locations()).copy(op, std::move(operands), changed);
    for (int i = 0; i < op.result_count(); ++i) {
      values_[op.result(i)] = made.result(i);
      ir::set_given_name(made.result(i), ir::given_name(op.result(i)));
    }
  }

  ir::Dense resized(const ir::Dense& elements) const {
    const ir::Type type = resized(elements.type());
    if (type == elements.type()) return elements;
    if (!elements.is_splat()) throw Error("a constant has unequal elements");
    return ir::Dense::repeated(type, elements.bytes());
  }

  int64_t from_, to_;
  ir::Module resized_;
  std::unordered_map<ir::Value, ir::Value, ir::ValueHash> values_;
};

}  // namespace

std::set<int64_t> extents_of(const ir::Module& module) {
  std::set<int64_t> extents;
  const auto add = [&](const Shape& shape) { extents.insert(shape.begin(), shape.end()); };
  for (const ir::Input& input : module.graph().inputs()) add(input.node->type.shape);
  for (const ir::Op* op : module.graph().ops())
    for (ir::Value v : op->results()) add(v.shape());
  extents.erase(0);
  extents.erase(1);
  return extents;
}

std::optional<ir::Module> with_extent(const ir::Module& module, int64_t from, int64_t to) {
  if (module.arena_bytes) return std::nullopt;
  try {
    return Resizer(module, from, to).run(module.graph());
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace weft::passes
