#include "weft/ir/builder.h"

#include <algorithm>

#include "weft/ir/kind_text.h"
#include "weft/ir/ops/with_gradient.h"
#include "weft/ir/registry.h"

namespace weft::ir {
namespace {

bool accepts(Accepts wanted, DType t) {
  switch (wanted) {
    case Accepts::any: return true;
    case Accepts::floating: return is_floating(t);
    case Accepts::number: return t != boolean;
    case Accepts::integer: return is_integer(t);
    case Accepts::boolean: return t == boolean;
    case Accepts::bits: return !is_floating(t);
  }
  return false;
}

std::string_view describe(Accepts wanted) {
  switch (wanted) {
    case Accepts::any: return "any element type";
    case Accepts::floating: return "a floating element type";
    case Accepts::number: return "a number (not bool)";
    case Accepts::integer: return "an integer element type";
    case Accepts::boolean: return "bool";
    case Accepts::bits: return "integer or bool elements";
  }
  return "?";
}

/// The shape rule. A Shape that cannot be throws an error of its own, which knows neither the op nor the line.
std::vector<Type> run_rule(const InferContext& context, const OpDef& def) {
  try {
    std::vector<Type> types = def.infer(context);
    for (const Type& type : types)
      if (is_too_large(type)) context.fail(fmt::format("the result {} takes more than 2^50 bytes", to_string(type)));
    return types;
  } catch (const Error& e) {
    if (!e.op().empty()) throw;
    context.fail(e.what());
  }
}

}  // namespace

std::vector<Attribute> complete_attributes(const OpDef& def, const NamedAttributes& given, const Locations& at) {
  std::vector<Attribute> values;
  for (const AttributeSpec& spec : def.attributes) {
    const auto found = std::find_if(given.begin(), given.end(), [&](const auto& g) { return g.first == spec.name; });
    if (found == given.end()) {
      if (!spec.fallback) throw Error("attribute '{}' is missing", spec.name).of(def.name).at(to_string(at));
      values.push_back(*spec.fallback);
      continue;
    }
    Attribute value = found->second;
    if (spec.kind == AttributeKind::real && kind_of(value) == AttributeKind::integer) value = static_cast<double>(std::get<int64_t>(value));
    if (kind_of(value) != spec.kind)
      throw Error("attribute '{}' must be {}, not {}", spec.name, with_article(spec.kind), with_article(kind_of(value)))
          .of(def.name)
          .at(to_string(at));
    if (!spec.choices.empty() && std::count(spec.choices.begin(), spec.choices.end(), std::get<std::string>(value)) == 0)
      throw Error("attribute '{}' must be one of \"{}\", not \"{}\"", spec.name, fmt::join(spec.choices, "\", \""),
                  std::get<std::string>(value))
          .of(def.name)
          .at(to_string(at));
    values.push_back(std::move(value));
  }
  for (const auto& [name, value] : given)
    if (def.attribute_index(name) < 0) {
      std::vector<std::string> known;
      for (const AttributeSpec& spec : def.attributes) known.push_back(spec.name);
      throw Error("{} has no attribute '{}'", def.name, name).at(to_string(at)).hint(did_you_mean(name, known));
    }
  return values;
}

std::vector<Type> infer_types(const OpDef& def, std::span<const Type> operands, Attributes attributes,
                              std::span<const std::unique_ptr<Graph>> bodies, const Locations& at) {
  const InferContext context(def, operands, attributes, bodies, at);
  if (!bodies.empty() && !def.takes_epilogue && !def.needs_body() && !has_gradient_body(def)) context.fail("takes no body");
  const bool variadic = !def.operands.empty() && def.operands.back().variadic;
  const size_t fixed = def.operands.size() - variadic;
  if (operands.size() < fixed || (!variadic && operands.size() > fixed))
    context.fail(fmt::format("takes {}{} operand{}, not {}", variadic ? "at least " : "", fixed, fixed == 1 ? "" : "s", operands.size()));
  for (size_t i = 0; i < operands.size(); ++i) {
    const OperandSpec& spec = def.operands[std::min(i, def.operands.size() - 1)];
    if (!accepts(spec.accepts, operands[i].dtype))
      context.fail(fmt::format("operand '{}' must have {}", spec.name, describe(spec.accepts)));
    if (spec.type && operands[i] != *spec.type) context.fail(fmt::format("operand '{}' must be {}", spec.name, to_string(*spec.type)));
    if (def.kind == Kind::elementwise && i > 0 && operands[i].shape != operands[0].shape)
      context.fail("the operands must have equal shapes");
  }
  if (def.infer) return run_rule(context, def);
  WEFT_CHECK(!operands.empty(), "{} has no shape rule", def.name);
  for (size_t i = 1; i < operands.size(); ++i)
    if (operands[i].dtype != operands[0].dtype) context.fail("the operands must have equal element types");
  return {operands[0]};
}

Op& Builder::create(std::string_view name, std::vector<Value> operands, NamedAttributes attributes,
                    std::vector<std::unique_ptr<Graph>> bodies) {
  const OpDef* def = registry().find(name);
  if (!def) throw unknown_op(name).at(to_string(locations_));
  return create(*def, std::move(operands), std::move(attributes), std::move(bodies));
}

Op& Builder::create(const OpDef& def, std::vector<Value> operands, NamedAttributes attributes, std::vector<std::unique_ptr<Graph>> bodies) {
  std::vector<Type> types;
  for (Value v : operands) types.push_back(v.type());
  std::vector<Attribute> complete = complete_attributes(def, attributes, locations_);
  std::vector<Type> results = infer_types(def, types, complete, bodies, locations_);
  Op& op = graph_->insert(def, std::move(operands), std::move(complete), std::move(results), locations_, before_);
  for (auto& body : bodies) op.add_body(std::move(body));
  return op;
}

Op& Builder::copy(const Op& op, std::vector<Value> operands, const NamedAttributes& changed) {
  std::vector<std::unique_ptr<Graph>> bodies;
  for (const auto& body : op.bodies()) bodies.push_back(clone(*body));
  return copy(op, std::move(operands), changed, std::move(bodies));
}

Op& Builder::copy(const Op& op, std::vector<Value> operands, const NamedAttributes& changed, std::vector<std::unique_ptr<Graph>> bodies) {
  NamedAttributes attributes = changed;
  for (size_t i = 0; i < op.attributes().size(); ++i) {
    const std::string& name = op.def().attributes[i].name;
    const auto is_it = [&](const auto& attribute) { return attribute.first == name; };
    if (std::none_of(changed.begin(), changed.end(), is_it)) attributes.emplace_back(name, op.attributes()[i]);
  }
  return create(op.name(), std::move(operands), std::move(attributes), std::move(bodies));
}

Value Builder::splat(const Type& type, double value) { return (*this)("constant", {}, {{"value", Dense::splat(type, value)}}); }

Value Builder::broadcast(Value v, const Shape& shape) {
  return v.shape() == shape ? v : (*this)("broadcast", {v}, {{"shape", shape.dims()}});
}

Value Builder::broadcast_over(Value v, const Dims& axes, const Shape& shape) {
  Dims kept = shape.dims();
  for (int64_t axis : axes) kept[static_cast<size_t>(axis)] = 1;
  return broadcast(reshape(v, Shape(kept)), shape);
}

Value Builder::reshape(Value v, const Shape& shape) { return v.shape() == shape ? v : (*this)("reshape", {v}, {{"shape", shape.dims()}}); }

Value Builder::cast(Value v, DType dtype) { return v.dtype() == dtype ? v : (*this)("cast", {v}, {{"dtype", dtype}}); }

Value Builder::sum(Value v, Dims axes, bool keep_dims) {
  return axes.empty() ? v : (*this)("sum", {v}, {{"axes", std::move(axes)}, {"keep_dims", keep_dims}});
}

Value Builder::sum_to(Value v, const Shape& shape) {
  const int extra = v.shape().rank() - shape.rank();
  Dims axes;
  for (int axis = 0; axis < v.shape().rank(); ++axis)
    if (axis < extra || (shape[axis - extra] == 1 && v.shape()[axis] != 1)) axes.push_back(axis);
  return reshape(sum(v, axes), shape);
}

}  // namespace weft::ir
