#include "weft/ir/scalar.h"

#include <algorithm>

#include "weft/support/error.h"

namespace weft::ir {

std::string_view name_of(Primitive primitive) {
  static constexpr std::string_view names[] = {
      "argument",
      "constant",
      // arithmetic
      "add",
      "subtract",
      "multiply",
      "divide",
      "negate",
      "absolute",
      "fma",
      // floating functions
      "exp",
      "expm1",
      "log",
      "log1p",
      "sqrt",
      "sin",
      "cos",
      "tanh",
      "erf",
      "atan",
      "pow",
      "floor",
      "ceil",
      "round_even",
      // comparisons
      "equal",
      "not_equal",
      "less",
      "less_equal",
      // bool and bits
      "bit_and",
      "bit_or",
      "bit_xor",
      "bit_not",
      "shift_left",
      "shift_right",
      "select",
      "cast",
      "asinh",
  };
  return names[static_cast<size_t>(primitive)];
}

int operand_count(Primitive p) {
  switch (p) {
    case Primitive::argument:
    case Primitive::constant: return 0;
    case Primitive::fma:
    case Primitive::select: return 3;
    case Primitive::negate:
    case Primitive::absolute:
    case Primitive::bit_not:
    case Primitive::asinh:
    case Primitive::cast: return 1;
    case Primitive::pow: return 2;
    default: return p >= Primitive::exp && p <= Primitive::round_even ? 1 : 2;
  }
}

Scalar Scalar::like(double value) const {
  owner_->nodes.push_back({Primitive::constant, dtype(), -1, -1, -1, value, is_floating(dtype()) ? 0 : static_cast<int64_t>(value)});
  return {owner_, static_cast<int>(owner_->nodes.size()) - 1};
}

Scalar Scalar::like_integer(int64_t value) const {
  owner_->nodes.push_back({Primitive::constant, dtype(), -1, -1, -1, static_cast<double>(value), value});
  return {owner_, static_cast<int>(owner_->nodes.size()) - 1};
}

ScalarExpression sort_by_need(const ScalarExpression& expression, int root) {
  ScalarExpression sorted;
  std::vector<int> places(expression.nodes.size(), -1);
  for (size_t i = 0; i < expression.nodes.size(); ++i)
    if (expression.nodes[i].primitive == Primitive::argument) {
      places[i] = static_cast<int>(sorted.nodes.size());
      sorted.nodes.push_back(expression.nodes[i]);
    }
  const auto add = [&](const auto& self, int i) -> int {
    int& place = places[static_cast<size_t>(i)];
    if (place >= 0) return place;
    ScalarNode node = expression.nodes[static_cast<size_t>(i)];
    for (int* operand : {&node.a, &node.b, &node.c})
      if (*operand >= 0) *operand = self(self, *operand);
    sorted.nodes.push_back(node);
    return place = static_cast<int>(sorted.nodes.size()) - 1;
  };
  const int last = add(add, root);
  if (last + 1 != static_cast<int>(sorted.nodes.size()))
    sorted.nodes.push_back({Primitive::cast, sorted.nodes[static_cast<size_t>(last)].dtype, last});
  return sorted;
}

void require_same_owner(const ScalarExpression* owner, const Scalar& node) {
  if (node.owner() != owner) throw Error("it uses a Scalar that is none of its own: one kept from another call");
}

namespace {

/// What the primitive asks of its operands' element types; nothing where they fit.
std::string_view requirement(Primitive p, std::span<const Scalar> operands) {
  const DType first = operands[0].dtype();
  const bool alike = std::all_of(operands.begin(), operands.end(), [&](const Scalar& s) { return s.dtype() == first; });
  switch (p) {
    case Primitive::argument:
    case Primitive::constant:
    case Primitive::cast: return "";
    case Primitive::select:
      if (first != boolean) return "a bool condition";
      return operands[1].dtype() == operands[2].dtype() ? "" : "two branches of one element type";
    case Primitive::exp:
    case Primitive::expm1:
    case Primitive::log:
    case Primitive::log1p:
    case Primitive::sqrt:
    case Primitive::sin:
    case Primitive::cos:
    case Primitive::tanh:
    case Primitive::erf:
    case Primitive::atan:
    case Primitive::floor:
    case Primitive::ceil:
    case Primitive::round_even:
    case Primitive::asinh:
    case Primitive::pow: return alike && is_floating(first) ? "" : "floating operands of one element type";
    case Primitive::bit_and:
    case Primitive::bit_or:
    case Primitive::bit_xor:
    case Primitive::bit_not: return alike && !is_floating(first) ? "" : "integer or bool operands of one element type";
    case Primitive::shift_left:
    case Primitive::shift_right: return alike && is_integer(first) ? "" : "integer operands of one element type";
    case Primitive::add:
    case Primitive::subtract:
    case Primitive::multiply:
    case Primitive::divide:
    case Primitive::negate:
    case Primitive::absolute:
    case Primitive::fma: return alike && first != boolean ? "" : "operands of one element type, and not bool";
    case Primitive::equal:
    case Primitive::not_equal:
    case Primitive::less:
    case Primitive::less_equal: return alike ? "" : "operands of one element type";
  }
  return "";
}

}  // namespace

Scalar make(Primitive primitive, DType dtype, std::initializer_list<Scalar> operands) {
  ScalarExpression* owner = operands.begin()->owner();
  for (const Scalar& s : operands) require_same_owner(owner, s);
  ScalarNode node{primitive, dtype};
  int* slots[] = {&node.a, &node.b, &node.c};
  int i = 0;
  for (const Scalar& s : operands) *slots[i++] = s.node();
  WEFT_CHECK(i == operand_count(primitive), "{} takes {} operands", name_of(primitive), operand_count(primitive));
  if (const std::string_view wanted = requirement(primitive, operands); !wanted.empty()) {
    std::vector<std::string_view> given;
    for (const Scalar& s : operands) given.push_back(name_of(s.dtype()));
    throw Error("{} takes {}, not {}", name_of(primitive), wanted, fmt::join(given, ", "));
  }
  owner->nodes.push_back(node);
  return {owner, static_cast<int>(owner->nodes.size()) - 1};
}

}  // namespace weft::ir
