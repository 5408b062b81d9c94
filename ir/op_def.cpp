#include "weft/ir/op_def.h"

#include <algorithm>

#include "weft/ir/kind_text.h"
#include "weft/support/reduction_order.h"

namespace weft::ir {

const Attribute& AttributeView::operator[](std::string_view name) const {
  if (const int i = def_.attribute_index(name); i >= 0) return values_[static_cast<size_t>(i)];
  std::vector<std::string> known;
  for (const AttributeSpec& spec : def_.attributes) known.push_back(spec.name);
  throw Error("{} has no attribute '{}'", def_.name, name).hint(did_you_mean(name, known));
}

void AttributeView::require_kind(std::string_view name, AttributeKind kind) const {
  if (const AttributeKind own = kind_of((*this)[name]); own != kind)
    throw Error("attribute '{}' is {}, not {}", name, with_article(own), with_article(kind)).of(def_.name);
}

const Attribute& InferContext::attribute(std::string_view name) const {
  const int i = def_.attribute_index(name);
  WEFT_CHECK(i >= 0, "{} has no attribute '{}'", def_.name, name);
  return attributes_[static_cast<size_t>(i)];
}

void InferContext::fail(const std::string& requirement) const {
  std::string given;
  for (const Type& t : operands_) given += (given.empty() ? "" : ", ") + to_string(t);
  throw Error(ErrorKind::shape, requirement).of(def_.name).given(given).at(to_string(at_));
}

int InferContext::axis(int64_t axis, int rank) const {
  if (axis < -rank || axis >= rank) fail(fmt::format("axis {} is out of range for rank {}", axis, rank));
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

std::string_view name_of(Autocast autocast) {
  switch (autocast) {
    case Autocast::follows: return "follows";
    case Autocast::low: return "low";
    case Autocast::wide: return "wide";
    case Autocast::fixed: return "fixed";
  }
  return "";
}

Autocast OpDef::autocast_class() const {
  if (autocast) return *autocast;
  if (needs_body()) return Autocast::fixed;
  return kind == Kind::reduction ? Autocast::wide : Autocast::follows;
}

int OpDef::attribute_index(std::string_view attribute) const {
  for (size_t i = 0; i < attributes.size(); ++i)
    if (attributes[i].name == attribute) return static_cast<int>(i);
  return -1;
}

Error error_in(const Op& op, std::string_view rule, const std::string& what) {
  std::string types;
  for (Value v : op.operands()) types += (types.empty() ? "" : ", ") + to_string(v.type());
  const Location& registered_at = op.def().registered_at;
  const bool known = registered_at.file.empty() || op.locations() == Locations{registered_at};
  const std::string registered = known ? "" : fmt::format(" (registered at {})", to_string(registered_at));
  return Error("its {}{}: {}", rule, registered, what).of(op.name()).given(types).at(to_string(op.locations()));
}

ScalarExpression scalar_of(const Op& op) {
  std::vector<DType> types;
  for (Value v : op.operands()) types.push_back(v.dtype());
  try {
    return build_scalar(types,
                        [&](std::span<const Scalar> args) { return cast(op.def().scalar(args, AttributeView(op)), op.result().dtype()); });
  } catch (const Error& e) {
    throw error_in(op, "scalar body", without_place(e, op.locations()));
  }
}

ScalarExpression combine_of(const Op& op) {
  // Partial results of narrow types are f32.
  const DType type = computed_in(op.result().dtype());
  const DType types[] = {type, type};
  try {
    return build_scalar(types, [&](std::span<const Scalar> args) { return cast(op.def().combine(args[0], args[1]), type); });
  } catch (const Error& e) {
    throw error_in(op, "combination", without_place(e, op.locations()));
  }
}

double error_ulps_of(const Op& op) {
  const double own = op.def().error_ulps;
  // A library adds products in an order of its own, at worst one after the other, half an ulp each.
  if (op.def().contracts() && own > 0 && op.result().shape().numel() > 0)
    return std::max(own, flops_of(op) / 2 / static_cast<double>(op.result().shape().numel()) / 2);
  // And so what belongs to one index.
  if (op.def().kind == Kind::heavy && own > 0) {
    const std::vector<OperandSpec>& specs = op.def().operands;
    double most = own;
    for (size_t i = 0; i < op.operands().size(); ++i)
      if (specs[std::min(i, specs.size() - 1)].index) most = std::max(most, static_cast<double>(op.operands()[i].shape().numel()) / 2);
    return most;
  }
  if (op.def().kind != Kind::reduction || own == 0 || op.result().shape().numel() == 0) return own;
  return std::max(own, reduction_ulps(op.operand(0).shape().numel() / op.result().shape().numel()));
}

double flops_of(const Op& op) {
  const OpDef& def = op.def();
  double total = 0;
  if (def.flops) {
    total = def.flops(op);
  } else if (def.kind == Kind::elementwise) {
    for (const ScalarNode& n : scalar_of(op).nodes) total += n.primitive != Primitive::argument && n.primitive != Primitive::constant;
    total *= static_cast<double>(op.result().shape().numel());
  } else if (def.kind == Kind::reduction) {
    total = static_cast<double>(op.operand(0).shape().numel());
  }
  for (const auto& body : op.bodies())
    for (const auto& inner : body->ops()) total += flops_of(*inner);
  return total;
}

bool is_scratch(Value v) {
  if (v.is_input() || v.index() == 0 || v.index() + 1 != v.op()->result_count()) return false;
  return v.op()->def().attribute_index("scratch") >= 0 && v.op()->integer("scratch") > 0;
}

int64_t bytes_of(const Op& op) {
  if (op.def().bytes) return op.def().bytes(op);
  int64_t bytes = 0;
  for (Value v : op.operands()) bytes += v.type().bytes();
  for (Value v : op.results())
    if (!is_scratch(v)) bytes += v.type().bytes();
  return bytes;
}

}  // namespace weft::ir
