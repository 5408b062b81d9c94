// Division of the tensor language, and what it leaves.

#include "weft/frontend/language/custom_op.h"
#include "weft/frontend/language/ops.h"
#include "weft/frontend/language/recorder.h"

namespace weft {
namespace {

using detail::Recorder;
using ir::Expr;
using ir::Value;

/// a / b rounded down. Of floating numbers by what fmod leaves, since a / b itself may have been rounded up to an integer.
Value floor_of_quotient(Recorder& r, Value a, Value b) {
  const Expr x{r.builder, a}, y{r.builder, b}, rest = x.apply("fmod", y), zero = x.like(0);
  const auto both = [&](Expr p, Expr q) { return Expr(r.builder, r.builder("and", {p, q})); };
  const Expr beyond = both(rest != zero, Expr(r.builder, r.builder("xor", {rest < zero, y < zero})));
  if (!is_floating(a.dtype())) {
    const Expr quotient = x / y;
    return select(both(beyond, y != zero), quotient - 1.0, quotient);
  }
  const Expr quotient = (x - rest) / y, below = select(beyond, quotient - 1.0, quotient);
  return select(y == zero, x / y, below.apply("round"));
}

}  // namespace

Tensor div(Arg a, Arg b, std::string rounding_mode) {
  Recorder r("div", {&a, &b});
  if (rounding_mode != "" && rounding_mode != "trunc" && rounding_mode != "floor")
    r.fail("the rounding_mode must be \"\", \"trunc\" or \"floor\", not \"" + rounding_mode + "\"");
  DType dtype = r.common_dtype();
  if (!is_floating(dtype) && (rounding_mode.empty() || dtype == boolean)) dtype = rounding_mode.empty() ? default_dtype() : i64;
  const Shape shape = r.common_shape();
  const Value x = r.value(a, dtype, shape), y = r.value(b, dtype, shape);
  if (rounding_mode == "floor") return r.tensor(floor_of_quotient(r, x, y));
  const Value quotient = r.builder("div", {x, y});
  return r.tensor(rounding_mode == "trunc" && is_floating(dtype) ? r.builder("trunc", {quotient}) : quotient);
}

Tensor operator/(Arg a, Arg b) { return div(std::move(a), std::move(b)); }
Tensor floor_divide(Arg a, Arg b) { return div(std::move(a), std::move(b), "floor"); }
Tensor fmod(Arg a, Arg b) { return call("fmod", {a, b}); }
Tensor remainder(Arg a, Arg b) { return call("remainder", {a, b}); }
Tensor operator%(Arg a, Arg b) { return remainder(std::move(a), std::move(b)); }

}  // namespace weft
