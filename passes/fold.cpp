#include "weft/passes/fold.h"

#include <cmath>
#include <limits>
#include <optional>

#include "weft/ir/builder.h"

namespace weft::passes {
namespace {

using ir::Dense;
using ir::Op;
using ir::Primitive;
using ir::ScalarNode;
using ir::Type;
using ir::Value;

/// A scalar as a rank-0 constant, so that rounding to its type is Dense's business alone; of the many nans that a
/// machine may give, the usual one.
Dense real(DType t, double v) { return Dense::splat({t, {}}, std::isnan(v) ? std::numeric_limits<double>::quiet_NaN() : v); }

/// Wraps first: on its way to a narrow type, Dense passes through double.
Dense whole(DType t, int64_t v) {
  if (t == i32) v = static_cast<int32_t>(v);
  if (t == u8) v = static_cast<uint8_t>(v);
  return Dense::splat_integer({t, {}}, v);
}

/// Is the integer part of `v` surely in the type?
bool fits(DType t, double v) { return t == u8 ? 0 <= v && v <= 255 : std::fabs(v) < 0x1p31; }

/// Only primitives that every backend rounds the same way; nothing for the others.
std::optional<Dense> floating_primitive(const ScalarNode& n, double a, double b) {
  switch (n.primitive) {
    case Primitive::add: return real(n.dtype, a + b);
    case Primitive::subtract: return real(n.dtype, a - b);
    case Primitive::multiply: return real(n.dtype, a * b);
    case Primitive::divide: return real(n.dtype, a / b);
    case Primitive::negate: return real(n.dtype, -a);
    case Primitive::absolute: return real(n.dtype, std::fabs(a));
    case Primitive::sqrt: return real(n.dtype, std::sqrt(a));
    case Primitive::floor: return real(n.dtype, std::floor(a));
    case Primitive::ceil: return real(n.dtype, std::ceil(a));
    case Primitive::equal: return whole(boolean, a == b);
    case Primitive::not_equal: return whole(boolean, a != b);
    case Primitive::less: return whole(boolean, a < b);
    case Primitive::less_equal: return whole(boolean, a <= b);
    case Primitive::cast:
      if (is_floating(n.dtype)) return real(n.dtype, a);
      if (n.dtype == boolean) return whole(boolean, a != 0);
      if (fits(n.dtype, a)) return whole(n.dtype, static_cast<int64_t>(a));
      return std::nullopt;
    default: return std::nullopt;
  }
}

std::optional<Dense> integer_primitive(const ScalarNode& n, int64_t a, int64_t b) {
  const auto ua = static_cast<uint64_t>(a), ub = static_cast<uint64_t>(b);
  switch (n.primitive) {
    case Primitive::add: return whole(n.dtype, static_cast<int64_t>(ua + ub));
    case Primitive::subtract: return whole(n.dtype, static_cast<int64_t>(ua - ub));
    case Primitive::multiply: return whole(n.dtype, static_cast<int64_t>(ua * ub));
    case Primitive::bit_and: return whole(n.dtype, a & b);
    case Primitive::bit_or: return whole(n.dtype, a | b);
    case Primitive::bit_xor: return whole(n.dtype, a ^ b);
    case Primitive::bit_not: return whole(n.dtype, n.dtype == boolean ? !a : ~a);
    case Primitive::equal: return whole(boolean, a == b);
    case Primitive::not_equal: return whole(boolean, a != b);
    case Primitive::less: return whole(boolean, a < b);
    case Primitive::less_equal: return whole(boolean, a <= b);
    case Primitive::cast:
      // Beyond 2^53 the way through double rounds twice.
      if (is_floating(n.dtype) && (a > int64_t{1} << 53 || a < -(int64_t{1} << 53))) return std::nullopt;
      return is_floating(n.dtype) ? real(n.dtype, static_cast<double>(a)) : whole(n.dtype, n.dtype == boolean ? a != 0 : a);
    default: return std::nullopt;
  }
}

std::optional<Dense> evaluate(const Op& op) {
  const ir::ScalarExpression e = scalar_of(op);
  std::vector<Dense> values;
  for (const ScalarNode& n : e.nodes) {
    if (n.dtype == bf16) return std::nullopt;  // arithmetic on bf16 rounds through f32
    std::optional<Dense> value;
    if (n.primitive == Primitive::argument) {
      value = op.operand(static_cast<int>(n.integer)).op()->attribute<Dense>("value").is_splat()
                  ? std::optional(op.operand(static_cast<int>(n.integer)).op()->attribute<Dense>("value"))
                  : std::nullopt;
    } else if (n.primitive == Primitive::constant) {
      value = is_floating(n.dtype) ? real(n.dtype, n.real) : whole(n.dtype, n.integer);
    } else if (n.primitive == Primitive::select) {
      value = values[static_cast<size_t>(values[static_cast<size_t>(n.a)].integer_at(0) ? n.b : n.c)];
    } else {
      const Dense& a = values[static_cast<size_t>(n.a)];
      const Dense& b = n.b < 0 ? a : values[static_cast<size_t>(n.b)];
      // The sum of two f32 in double rounds to the same f32; so do difference, product, quotient and square root.
      value =
          is_floating(a.type().dtype) ? floating_primitive(n, a.at(0), b.at(0)) : integer_primitive(n, a.integer_at(0), b.integer_at(0));
    }
    if (!value) return std::nullopt;
    values.push_back(*value);
  }
  const Dense& last = values.back();
  const Type& type = op.result().type();
  return is_floating(type.dtype) ? Dense::splat(type, last.at(0)) : Dense::splat_integer(type, last.integer_at(0));
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
