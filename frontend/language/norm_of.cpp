#include "weft/frontend/language/norm_of.h"

#include <algorithm>
#include <cmath>

namespace weft::detail {
namespace {

using ir::Expr;
using ir::Value;

/// x^p of an x that is not negative, and 0 at 0, where the derivative is 0 too.
Expr power(Expr x, double p) {
  if (p == 1) return x;
  const Expr zero = x.like(0), none = x == zero;
  return select(none, zero, select(none, x.like(1), x).apply("pow", x.like(p)));
}

bool has_elements(const Shape& shape, const Dims& axes) {
  return std::none_of(axes.begin(), axes.end(), [&](int64_t axis) { return shape[static_cast<int>(axis)] == 0; });
}

}  // namespace

Expr root(Expr x) {
  const Expr zero = x.like(0), none = x == zero;
  return select(none, zero, select(none, x.like(1), x).apply("sqrt"));
}

Value norm(Recorder& r, Value v, double p, const Dims& axes, bool keep_dims) {
  if (std::isnan(p)) r.fail("p must be a number, not nan");
  const ir::NamedAttributes attributes{{"axes", axes}, {"keep_dims", keep_dims}};
  const Expr x{r.builder, v};
  if (std::isinf(p)) {
    if (!has_elements(v.shape(), axes)) r.fail("cannot take this norm of an empty axis: it has no extreme");
    return x.apply("abs").apply(p > 0 ? "max" : "min", attributes);
  }
  if (p == 0) return Expr(r.builder, r.builder.cast(x != x.like(0), v.dtype())).apply("sum", attributes);
  if (p == 2) return root(x.apply("square").apply("sum", attributes));
  return power(power(x.apply("abs"), p).apply("sum", attributes), 1 / p);
}

}  // namespace weft::detail
