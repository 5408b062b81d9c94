// Logical and bitwise ops of the tensor language.

#include "weft/frontend/language/ops.h"
#include "weft/frontend/language/recorder.h"

namespace weft {
namespace {

using detail::Recorder;
using ir::Value;

Tensor logical(std::string_view what, std::string_view op, const Arg& a, const Arg& b) {
  Recorder r(what, {&a, &b});
  const Shape shape = r.common_shape();
  const Value x = r.value(a, boolean, shape), y = r.value(b, boolean, shape);
  return r(op, {x, y});
}

/// The operands in their common element type, which must be no floating one, and shape.
std::pair<Value, Value> bits(Recorder& r, const Arg& a, const Arg& b, bool of_bool) {
  const DType dtype = r.common_dtype();
  if (is_floating(dtype) || (dtype == boolean && !of_bool))
    r.fail(of_bool ? "the operands must be integers or bools" : "the operands must be integers");
  const Shape shape = r.common_shape();
  const Value x = r.value(a, dtype, shape);
  return {x, r.value(b, dtype, shape)};
}

Tensor bitwise(std::string_view what, std::string_view op, const Arg& a, const Arg& b) {
  Recorder r(what, {&a, &b});
  const auto [x, y] = bits(r, a, b, true);
  return r(op, {x, y});
}

Arg arg(const detail::TensorHandle& x) { return {Tensor(x.recording, x.node), x.where}; }

}  // namespace

Tensor operator&&(Arg a, Arg b) { return logical("and", "and", a, b); }
Tensor operator||(Arg a, Arg b) { return logical("or", "or", a, b); }
Tensor operator!(Arg x) {
  Recorder r("not", {&x});
  return r("not", {r.value(x, boolean)});
}
Tensor operator!(detail::TensorHandle x) { return !arg(x); }
Tensor operator&&(detail::TensorHandle a, detail::TensorHandle b) { return arg(a) && arg(b); }
Tensor operator||(detail::TensorHandle a, detail::TensorHandle b) { return arg(a) || arg(b); }

Tensor logical_and(Arg a, Arg b) { return logical("logical_and", "and", a, b); }
Tensor logical_or(Arg a, Arg b) { return logical("logical_or", "or", a, b); }
Tensor logical_xor(Arg a, Arg b) { return logical("logical_xor", "xor", a, b); }
Tensor logical_not(Arg x) { return !x; }

Tensor bitwise_and(Arg a, Arg b) { return bitwise("bitwise_and", "and", a, b); }
Tensor bitwise_or(Arg a, Arg b) { return bitwise("bitwise_or", "or", a, b); }
Tensor bitwise_xor(Arg a, Arg b) { return bitwise("bitwise_xor", "xor", a, b); }

Tensor bitwise_not(Arg x) {
  Recorder r("bitwise_not", {&x});
  const Value v = r.value(x);
  if (is_floating(v.dtype())) r.fail("x must be an integer or bool");
  return r("not", {v});
}

Tensor bitwise_left_shift(Arg a, Arg b) {
  Recorder r("bitwise_left_shift", {&a, &b});
  const auto [x, by] = bits(r, a, b, false);
  return r("shift_left", {x, by});
}

Tensor bitwise_right_shift(Arg a, Arg b) {
  Recorder r("bitwise_right_shift", {&a, &b});
  const auto [x, by] = bits(r, a, b, false);
  const Value shifted = r.builder("shift_right", {x, by});
  if (is_unsigned(x.dtype())) return r.tensor(shifted);
  // The bits of a number below 0 are those of its complement, which is not, the other way round.
  const Value rest = r.builder("not", {r.builder("shift_right", {r.builder("not", {x}), by})});
  return r("select", {ir::Expr(r.builder, x) < 0.0, rest, shifted});
}

Tensor operator&(Arg a, Arg b) { return bitwise_and(std::move(a), std::move(b)); }
Tensor operator|(Arg a, Arg b) { return bitwise_or(std::move(a), std::move(b)); }
Tensor operator^(Arg a, Arg b) { return bitwise_xor(std::move(a), std::move(b)); }
Tensor operator~(Arg x) { return bitwise_not(std::move(x)); }
Tensor operator<<(Arg a, Arg b) { return bitwise_left_shift(std::move(a), std::move(b)); }
Tensor operator>>(Arg a, Arg b) { return bitwise_right_shift(std::move(a), std::move(b)); }

}  // namespace weft
