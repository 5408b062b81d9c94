// Normalizations of the tensor language.

#include <cmath>
#include <numeric>

#include "weft/frontend/language/ops.h"
#include "weft/frontend/language/recorder.h"

namespace weft {
namespace {

using detail::pointer;
using detail::Recorder;
using ir::Expr;
using ir::Value;

/// f16 and bf16 are computed in f32 and rounded once, behind the affine part.
Value standardized(Recorder& r, Value v, const Dims& axes, double eps, bool center) {
  if (!is_floating(v.dtype())) r.fail("x must be floating");
  v = r.builder.cast(v, computed_in(v.dtype()));
  if (!(eps >= 0 && std::isfinite(eps))) r.fail(fmt::format("eps must be finite and not negative, not {}", eps));
  return r.builder("standardize", {v}, {{"axes", axes}, {"eps", eps}, {"center", center}});
}

/// v * weight + bias, each of `shape`, stretched to v from where `column` (as many elements, rank of v or less) says. The result
/// has the type that x, of type `dtype`, and these promote to.
Tensor affine(Recorder& r, DType dtype, Value v, const Arg* weight, const Arg* bias, const Dims& shape, const Dims& column) {
  const auto stretched = [&](const Arg& arg, const char* what) {
    const Value given = r.value(arg);
    if (given.shape() != Shape(shape)) r.fail(fmt::format("the {} must have the shape {}", what, weft::to_string(shape)));
    dtype = detail::promote(dtype, given.dtype());
    const DType wide = detail::promote(v.dtype(), given.dtype());
    v = r.builder.cast(v, wide);
    return Expr(r.builder, r.builder.broadcast(r.builder.reshape(r.builder.cast(given, wide), Shape(column)), v.shape()));
  };
  if (weight) {
    const Expr w = stretched(*weight, "weight");
    v = Expr(r.builder, v) * w;
  }
  if (bias) {
    const Expr b = stretched(*bias, "bias");
    v = Expr(r.builder, v) + b;
  }
  return r.tensor(r.builder.cast(v, dtype));
}

/// The last axes of v, which must have these extents.
Dims last_axes(Recorder& r, Value v, const Dims& shape) {
  const int first = v.shape().rank() - static_cast<int>(shape.size());
  if (shape.empty() || first < 0 || !std::equal(shape.begin(), shape.end(), v.shape().begin() + first))
    r.fail("the last axes of x must be " + weft::to_string(shape));
  Dims axes(shape.size());
  std::iota(axes.begin(), axes.end(), first);
  return axes;
}

}  // namespace

Tensor standardize(Arg x, Axes axes, double eps, bool center) {
  Recorder r("standardize", {&x});
  const Value v = r.value(x);
  return r.tensor(r.builder.cast(standardized(r, v, r.axes(axes, v.shape().rank()), eps, center), v.dtype()));
}

Tensor layer_norm(Arg x, Dims shape, std::optional<Arg> weight, std::optional<Arg> bias, double eps) {
  Recorder r("layer_norm", {&x, pointer(weight), pointer(bias)});
  const Value v = r.value(x);
  return affine(r, v.dtype(), standardized(r, v, last_axes(r, v, shape), eps, true), pointer(weight), pointer(bias), shape, shape);
}

Tensor rms_norm(Arg x, Dims shape, std::optional<Arg> weight, std::optional<double> eps) {
  Recorder r("rms_norm", {&x, pointer(weight)});
  const Value v = r.value(x);
  const Value y = standardized(r, v, last_axes(r, v, shape), eps.value_or(epsilon_of(v.dtype())), false);
  return affine(r, v.dtype(), y, pointer(weight), nullptr, shape, shape);
}

Tensor group_norm(Arg x, int64_t groups, std::optional<Arg> weight, std::optional<Arg> bias, double eps) {
  Recorder r("group_norm", {&x, pointer(weight), pointer(bias)});
  const Value v = r.value(x);
  const Shape& shape = v.shape();
  if (shape.rank() < 2 || groups < 1 || shape[1] % groups != 0)
    r.fail(fmt::format("x must be [N, C, ...] with a number of channels C that {} groups divide", groups));
  const int64_t rest = std::accumulate(shape.begin() + 2, shape.end(), shape[1] / groups, std::multiplies<>());
  if (shape[0] * rest == 1) r.fail("there must be more than one value to normalize: a batch of one sample needs more than one in a group");
  const Value split = r.builder.reshape(v, Shape{shape[0], groups, rest});
  const Value y = r.builder.reshape(standardized(r, split, {2}, eps, true), shape);
  Dims column(shape.dims().size() - 1, 1);
  column[0] = shape[1];
  return affine(r, v.dtype(), y, pointer(weight), pointer(bias), {shape[1]}, column);
}

}  // namespace weft
