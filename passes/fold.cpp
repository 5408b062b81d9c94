#include "weft/passes/fold.h"

#include <cmath>
#include <limits>
#include <optional>

#include "weft/ir/builder.h"
#include "weft/ir/scalar_evaluation.h"
#include "weft/support/conversion.h"

namespace weft::passes {
namespace {

using ir::Dense;
using ir::Op;
using ir::Primitive;
using ir::ScalarNode;
using ir::Value;

/// An element, as constants hold it: `real` of a floating type, else `integer`.
struct Element {
  double real = 0;
  int64_t integer = 0;
};

Element element_of(const Dense& splat) {
  if (is_floating(splat.type().dtype)) return {.real = splat.at(0)};
  return {.integer = splat.integer_at(0)};
}

/// Is every backend's result of the primitive the exact one, rounded once?
bool rounds_alike(Primitive primitive, DType operand) {
  switch (primitive) {
    case Primitive::add:
    case Primitive::subtract:
    case Primitive::multiply:
    case Primitive::equal:
    case Primitive::not_equal:
    case Primitive::less:
    case Primitive::less_equal:
    case Primitive::cast:
    case Primitive::select: return true;
    case Primitive::divide:
    case Primitive::negate:
    case Primitive::absolute:
    case Primitive::sqrt:
    case Primitive::floor:
    case Primitive::ceil: return is_floating(operand);
    case Primitive::bit_and:
    case Primitive::bit_or:
    case Primitive::bit_xor:
    case Primitive::bit_not: return !is_floating(operand);
    default: return false;
  }
}

/// Is the cast's result what every backend gives? Beyond a type, and beyond 2^53 on the way to a floating one, they may differ.
bool casts_alike(const Element& from, DType operand, DType to) {
  constexpr int64_t exact = int64_t{1} << 53;
  if (!is_floating(operand)) return !is_floating(to) || (-exact <= from.integer && from.integer <= exact);
  if (is_floating(to) || to == boolean) return true;
  return std::fabs(from.real) < 0x1p31 && static_cast<int64_t>(from.real) == wrapped(to, static_cast<int64_t>(from.real));
}

/// The sum of two f32 in double rounds to the same f32; so do difference, product, quotient and square root. Of the many nans that a
/// machine may give, the usual one.
double as_held(DType dtype, double value) { return std::isnan(value) ? std::numeric_limits<double>::quiet_NaN() : rounded(dtype, value); }

std::optional<Element> evaluate(const ScalarNode& n, const ir::ScalarExpression& e, const std::vector<Element>& values) {
  const auto value = [&](int node) { return values[static_cast<size_t>(node < 0 ? n.a : node)]; };
  const DType operand = e.nodes[static_cast<size_t>(n.a)].dtype;
  const Element a = value(n.a), b = value(n.b), c = value(n.c);
  if (!rounds_alike(n.primitive, operand)) return std::nullopt;
  if (n.primitive == Primitive::cast && !casts_alike(a, operand, n.dtype)) return std::nullopt;
  Element result;
  ir::evaluate(n, operand, {{&a.real, &a.integer}, {&b.real, &b.integer}, {&c.real, &c.integer}, &result.real, &result.integer, 1});
  if (is_floating(n.dtype) && n.primitive != Primitive::select) result.real = as_held(n.dtype, result.real);
  return result;
}

std::optional<Dense> evaluate(const Op& op) {
  const ir::ScalarExpression e = scalar_of(op);
  std::vector<Element> values;
  for (const ScalarNode& n : e.nodes) {
    if (is_narrow(n.dtype)) return std::nullopt;  // its arithmetic rounds through f32
    std::optional<Element> value;
    if (n.primitive == Primitive::argument) {
      const Dense& constant = op.operand(static_cast<int>(n.integer)).op()->attribute<Dense>("value");
      if (constant.is_splat()) value = element_of(constant);
    } else if (n.primitive == Primitive::constant) {
      value = Element{as_held(n.dtype, n.real), wrapped(n.dtype, n.integer)};
    } else {
      value = evaluate(n, e, values);
    }
    if (!value) return std::nullopt;
    values.push_back(*value);
  }
  const ir::Type& type = op.result().type();
  return is_floating(type.dtype) ? Dense::splat(type, values.back().real) : Dense::splat_integer(type, values.back().integer);
}

bool all_constant(const Op& op) {
  for (Value v : op.operands())
    if (v.is_input() || v.op()->def().kind != ir::Kind::constant) return false;
  return true;
}

}  // namespace

bool fold(ir::Module& module) {
  bool changed = false;
  for (Op* op : module.graph().editable_ops()) {
    if (!op->def().is_elementwise() || op->def().copies || !all_constant(*op)) continue;
    const std::optional<Dense> value = evaluate(*op);
    if (!value) continue;
    ir::Builder builder(module.graph(), op, op->locations());
    op->result().replace_all_uses_with(builder("constant", {}, {{"value", *value}}));
    module.graph().erase(*op);
    changed = true;
  }
  return changed;
}

}  // namespace weft::passes
