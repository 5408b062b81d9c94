// Division of the tensor language, and what it leaves.

#include "weft/frontend/language/custom_op.h"
#include "weft/frontend/language/ops.h"
#include "weft/frontend/language/recorder.h"
#include "weft/ir/ops/division.h"

namespace weft {
namespace {

using detail::Recorder;
using ir::Value;

}  // namespace

Tensor div(Arg a, Arg b, std::string rounding_mode) {
  Recorder r("div", {&a, &b});
  if (rounding_mode != "" && rounding_mode != "trunc" && rounding_mode != "floor")
    r.fail("the rounding_mode must be \"\", \"trunc\" or \"floor\", not \"" + rounding_mode + "\"");
  DType dtype = r.common_dtype();
  if (!is_floating(dtype) && (rounding_mode.empty() || dtype == boolean)) dtype = rounding_mode.empty() ? default_dtype() : i64;
  const Shape shape = r.common_shape();
  Value x = r.value(a, dtype, shape), y = r.value(b, dtype, shape);
  // What is rounded has no derivative, also where it is infinite.
  if (rounding_mode != "" && is_floating(dtype)) x = r.builder("detach", {x}), y = r.builder("detach", {y});
  if (rounding_mode == "floor") return r.tensor(ir::floor_of_quotient({r.builder, x}, {r.builder, y}));
  const Value quotient = r.builder("div", {x, y});
  return r.tensor(rounding_mode == "trunc" && is_floating(dtype) ? r.builder("trunc", {quotient}) : quotient);
}

Tensor operator/(Arg a, Arg b) { return div(std::move(a), std::move(b)); }
Tensor floor_divide(Arg a, Arg b) { return div(std::move(a), std::move(b), "floor"); }
Tensor fmod(Arg a, Arg b) { return call("fmod", {a, b}); }
Tensor remainder(Arg a, Arg b) { return call("remainder", {a, b}); }
Tensor operator%(Arg a, Arg b) { return remainder(std::move(a), std::move(b)); }

}  // namespace weft
