// Normalization over neighbouring channels.

#include "weft/frontend/language/ops.h"
#include "weft/frontend/language/recorder.h"

namespace weft {

using detail::Recorder;
using ir::Expr;
using ir::Value;

Tensor local_response_norm(Arg x, int64_t size, double alpha, double beta, double k) {
  Recorder r("local_response_norm", {&x});
  const Value given = r.value(x);
  if (!is_floating(given.dtype()) || given.shape().rank() < 3) r.fail("x must be floating, [n, channels, ...] of three axes or more");
  if (size < 1 || size > (int64_t{1} << 30)) r.fail(fmt::format("the size must be positive and not too large, but is {}", size));
  if (given.shape().numel() == 0) return r.tensor(given);
  // bf16 is computed in f32 and rounded once.
  const Expr v{r.builder, r.builder.cast(given, computed_in(given.dtype()))};
  const Value windows =
      r.builder("windows", {v * v}, {{"axes", Dims{1}}, {"extents", Dims{size}}, {"low", Dims{size / 2}}, {"high", Dims{(size - 1) / 2}}});
  const Expr sums{r.builder, r.builder.sum(windows, {2})};
  const Expr size_of = sums * (alpha / static_cast<double>(size)) + k;
  return r.tensor(r.builder.cast(v / size_of.apply("pow", size_of.like(beta)), given.dtype()));
}

}  // namespace weft
