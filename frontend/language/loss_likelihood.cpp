#include "weft/frontend/language/loss_likelihood.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "weft/frontend/language/loss_recorder.h"

namespace weft {

using detail::LossRecorder;
using ir::Expr;

Tensor PoissonNll::operator()(Arg input, Arg target, PoissonNllOptions o) const {
  LossRecorder r("poisson_nll_loss", {&input, &target});
  const auto [x, t] = r.pair(input, target);
  if (!std::isfinite(o.eps)) r.fail(fmt::format("eps must be finite, but is {}", o.eps));
  Expr each = o.log_input ? x.apply("exp") - t * x : x - t * (x + o.eps).apply("log");
  if (o.full) {
    const Expr many = 1.0 < t, n = select(many, t, t.like(1));
    const Expr stirling = n * n.apply("log") - n + (n * (2 * std::numbers::pi)).apply("log") * 0.5;
    each = each + select(many, stirling, t.like(0));
  }
  return r.reduced(each, o.reduction);
}

Tensor GaussianNll::operator()(Arg input, Arg target, Arg var, GaussianNllOptions o) const {
  LossRecorder r("gaussian_nll_loss", {&input, &target});
  const auto [x, t] = r.pair(input, target);
  LossRecorder all("gaussian_nll_loss", {&input, &target, &var});
  const Shape& shape = x.value().shape();
  ir::Value given = all.value(var, x.value().dtype());
  Dims extents = given.shape().dims(), leading = shape.dims();
  if (!leading.empty()) leading.pop_back();
  if (extents != shape.dims() && extents == leading) extents.push_back(1);
  int stretched = 0;
  for (size_t d = 0; d < extents.size() && extents.size() == shape.dims().size(); ++d) stretched += extents[d] != shape.dims()[d];
  Shape both;
  const bool fits = given.shape().rank() == 0 || (stretched <= 1 && broadcast_shapes(Shape(extents), shape, both) && both == shape &&
                                                  extents.size() == shape.dims().size());
  if (!fits) all.fail("the variance must have the input's shape, that without its last axis, or 1 in place of one of its extents");
  if (!(o.eps > 0) || !std::isfinite(o.eps)) all.fail(fmt::format("eps must be positive, but is {}", o.eps));
  if (given.shape().rank() > 0) given = r.builder.reshape(given, Shape(extents));
  const Expr wide = r.expr(r.builder.broadcast(given, shape)), least = wide.like(o.eps);
  // The clamp is no part of what is differentiated.
  const Expr raised{r.builder, r.builder("detach", {(least - wide).apply("relu")})};
  const Expr variance = wide + raised, gap = x - t;
  Expr each = (variance.apply("log") + gap * gap / variance) * 0.5;
  if (o.full) each = each + 0.5 * std::log(2 * std::numbers::pi);
  return r.reduced(each, o.reduction);
}

}  // namespace weft
