// Equations of elementwise ops. Each is exact: it keeps every bit, nan, infinity and signed zero included.

#include <bit>
#include <cmath>

#include "weft/passes/rewrites.h"

namespace weft::passes {
namespace {

using ir::Builder;
using ir::Op;
using ir::Value;

/// The number that every element of a constant has.
std::optional<double> splat(Value v) {
  if (v.is_input() || v.op()->def().kind != ir::Kind::constant) return std::nullopt;
  const auto& d = v.op()->attribute<ir::Dense>("value");
  return d.is_splat() ? std::optional(d.at(0)) : std::nullopt;
}

bool is(Value v, double number) {
  const auto s = splat(v);
  return s && std::bit_cast<uint64_t>(*s) == std::bit_cast<uint64_t>(number);
}

/// The operand of v if v is an op of this name.
Value argument_of(Value v, std::string_view op) { return !v.is_input() && v.op()->is(op) ? v.op()->operand(0) : Value(); }

Value constant_to_the_right(Builder& b, const Op& op) {
  return splat(op.operand(0)) && !splat(op.operand(1)) ? b(op.name(), {op.operand(1), op.operand(0)}) : Value();
}

Value times_one(Builder&, const Op& op) { return is(op.operand(1), 1) ? op.operand(0) : Value(); }

Value times_minus_one(Builder& b, const Op& op) { return is(op.operand(1), -1) ? b("neg", {op.operand(0)}) : Value(); }

Value plus_minus_zero(Builder&, const Op& op) {
  const bool integer = !is_floating(op.result().dtype());
  return is(op.operand(1), -0.0) || (integer && is(op.operand(1), 0)) ? op.operand(0) : Value();
}

Value plus_negated(Builder& b, const Op& op) {
  const Value negated = argument_of(op.operand(1), "neg");
  return negated ? b("sub", {op.operand(0), negated}) : Value();
}

Value minus_zero(Builder&, const Op& op) { return is(op.operand(1), 0) ? op.operand(0) : Value(); }

Value minus_negated(Builder& b, const Op& op) {
  const Value negated = argument_of(op.operand(1), "neg");
  return negated ? b("add", {op.operand(0), negated}) : Value();
}

Value over_one(Builder&, const Op& op) { return is(op.operand(1), 1) ? op.operand(0) : Value(); }

Value over_power_of_two(Builder& b, const Op& op) {
  const auto s = splat(op.operand(1));
  int exponent = 0;
  if (!s || !is_floating(op.result().dtype()) || std::frexp(std::fabs(*s), &exponent) != 0.5) return {};
  // The reciprocal must be a normal number of the type, or the product would round differently.
  if (std::abs(exponent) > 100) return {};
  return b("mul", {op.operand(0), b.splat(op.result().type(), 1 / *s)});
}

Value pow_one(Builder&, const Op& op) { return is(op.operand(1), 1) ? op.operand(0) : Value(); }

Value pow_two(Builder& b, const Op& op) { return is(op.operand(1), 2) ? b("square", {op.operand(0)}) : Value(); }

Value square_is_product(Builder& b, const Op& op) { return b("mul", {op.operand(0), op.operand(0)}); }

Value twice(Builder&, const Op& op) { return argument_of(op.operand(0), op.name()); }

Value swapped_greater(Builder& b, const Op& op) { return b("lt", {op.operand(1), op.operand(0)}); }

Value swapped_greater_equal(Builder& b, const Op& op) { return b("le", {op.operand(1), op.operand(0)}); }

Value known_condition(Builder&, const Op& op) {
  const auto s = splat(op.operand(0));
  return s ? op.operand(*s != 0 ? 1 : 2) : Value();
}

Value equal_branches(Builder&, const Op& op) { return op.operand(1) == op.operand(2) ? op.operand(1) : Value(); }

Value negated_condition(Builder& b, const Op& op) {
  const Value inner = argument_of(op.operand(0), "not");
  return inner ? b("select", {inner, op.operand(2), op.operand(1)}) : Value();
}

Value cast_to_same(Builder&, const Op& op) { return op.operand(0).dtype() == op.result().dtype() ? op.operand(0) : Value(); }

/// Does every number of `type` that becomes one of `by` become itself again? Integers wrap, so that bits that stay are enough.
bool comes_back(DType type, DType by) {
  if (type == boolean) return true;
  if (is_floating(type)) return is_floating(by) && size_of(type) < size_of(by);
  const int bits = 8 * static_cast<int>(size_of(type));
  if (is_floating(by)) return bits <= significand_bits(by);
  return by != boolean && bits <= 8 * static_cast<int>(size_of(by));
}

Value cast_back(Builder&, const Op& op) {
  const Value inner = argument_of(op.operand(0), "cast");
  return inner && inner.dtype() == op.result().dtype() && comes_back(inner.dtype(), op.operand(0).dtype()) ? inner : Value();
}

}  // namespace

const std::vector<Rewrite>& arithmetic_rewrites() {
  static const std::vector<Rewrite> rows = {
      {"add", "c + x = x + c", constant_to_the_right},
      {"mul", "c * x = x * c", constant_to_the_right},
      {"mul", "x * 1 = x", times_one},
      {"mul", "x * -1 = -x", times_minus_one},
      {"add", "x + -0.0 = x (integers: x + 0)", plus_minus_zero},
      {"add", "x + -y = x - y", plus_negated},
      {"sub", "x - 0 = x", minus_zero},
      {"sub", "x - -y = x + y", minus_negated},
      {"div", "x / 1 = x", over_one},
      {"div", "x / 2^k = x * 2^-k", over_power_of_two},
      {"pow", "x ^ 1 = x", pow_one},
      {"pow", "x ^ 2 = square(x)", pow_two},
      {"square", "square(x) = x * x", square_is_product},
      {"neg", "--x = x", twice},
      {"not", "not not x = x", twice},
      {"gt", "x > y = y < x", swapped_greater},
      {"ge", "x >= y = y <= x", swapped_greater_equal},
      {"select", "select(constant, x, y) = x or y", known_condition},
      {"select", "select(c, x, x) = x", equal_branches},
      {"select", "select(not c, x, y) = select(c, y, x)", negated_condition},
      {"cast", "cast to the same type = x", cast_to_same},
      {"cast", "cast to a type that keeps all numbers and back = x", cast_back},
  };
  return rows;
}

}  // namespace weft::passes
