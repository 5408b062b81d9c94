#include "weft/frontend/language/norm_of.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace weft::detail {
namespace {

using ir::Expr;
using ir::Value;

/// x^p of an x that is not negative; its derivative is 0 at 0, where it is 0 or, of a negative p, infinite.
Expr power(Expr x, double p) {
  if (p == 1) return x;
  const Expr none = x == x.like(0);
  return select(none, x.like(p < 0 ? std::numeric_limits<double>::infinity() : 0), select(none, x.like(1), x).apply("pow", x.like(p)));
}

bool has_elements(const Shape& shape, const Dims& axes) {
  return std::none_of(axes.begin(), axes.end(), [&](int64_t axis) { return shape[static_cast<int>(axis)] == 0; });
}

}  // namespace

Expr root(Expr x) {
  const Expr zero = x.like(0), none = x == zero;
  return select(none, zero, select(none, x.like(1), x).apply("sqrt"));
}

Value wide_norm(Recorder& r, Value v, double p, const Dims& axes, bool keep_dims) {
  v = r.builder.cast(v, computed_in(v.dtype()));
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

Value norm(Recorder& r, Value v, double p, const Dims& axes, bool keep_dims) {
  return r.builder.cast(wide_norm(r, v, p, axes, keep_dims), v.dtype());
}

}  // namespace weft::detail
