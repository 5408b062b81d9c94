#include "weft/ir/scalar.h"

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
      "shift_right",
      "select",
      "cast",
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

Scalar make(Primitive primitive, DType dtype, std::initializer_list<Scalar> operands) {
  ScalarExpression* owner = operands.begin()->owner();
  ScalarNode node{primitive, dtype};
  int* slots[] = {&node.a, &node.b, &node.c};
  int i = 0;
  for (const Scalar& s : operands) *slots[i++] = s.node();
  WEFT_CHECK(i == operand_count(primitive), "{} takes {} operands", name_of(primitive), operand_count(primitive));
  owner->nodes.push_back(node);
  return {owner, static_cast<int>(owner->nodes.size()) - 1};
}

}  // namespace weft::ir
