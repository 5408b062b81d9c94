#include "weft/frontend/nn/activations.h"

#include <limits>

#include "weft/frontend/language/recorder.h"

namespace weft {

using detail::Recorder;

Tensor leaky_relu(Arg x, double negative_slope) {
  Recorder r("leaky_relu", {&x});
  const ir::Value v = r.value(x, r.floating_dtype());
  return r("prelu", {v, r.builder.splat(v.type(), negative_slope)});
}

Tensor prelu(Arg x, Arg weight) {
  Recorder r("prelu", {&x, &weight});
  const DType dtype = r.floating_dtype();
  const ir::Value v = r.value(x, dtype);
  ir::Value w = r.value(weight, dtype);
  const int rank = v.shape().rank();
  if (w.shape().numel() != 1) {
    if (rank < 2 || w.shape() != Shape{v.shape()[1]}) r.fail("the weight must have one element, or one for each channel (axis 1)");
    Dims column(static_cast<size_t>(rank - 1), 1);
    column[0] = v.shape()[1];
    w = r.builder.reshape(w, Shape(column));
  } else {
    w = r.builder.reshape(w, {});
  }
  return r("prelu", {v, r.builder.broadcast(w, v.shape())});
}

Tensor elu(Arg x, double alpha) { return call("elu", {x}, {{"alpha", alpha}}); }
Tensor selu(Arg x) {
  // Of Klambauer et al., Self-Normalizing Neural Networks (2017).
  return call("elu", {x}, {{"alpha", 1.6732632423543772848170429916717}, {"scale", 1.0507009873554804934193349852946}});
}
Tensor softplus(Arg x, double beta, double threshold) { return call("softplus", {x}, {{"beta", beta}, {"threshold", threshold}}); }

Tensor hardtanh(Arg x, double min, double max) {
  const Recorder r("hardtanh", {&x});
  if (!(min <= max)) r.fail(fmt::format("the lower bound must not be above the upper one, but they are {} and {}", min, max));
  if (is_floating(r.common_dtype())) return clamp(x, min, max);
  // As in PyTorch, the bounds promote no integer: they are cut off to integers themselves.
  const auto whole = [](double bound) {
    return bound <= -0x1p63  ? std::numeric_limits<int64_t>::min()
           : bound >= 0x1p63 ? std::numeric_limits<int64_t>::max()
                             : static_cast<int64_t>(bound);
  };
  return clamp(x, whole(min), whole(max));
}

Tensor relu6(Arg x) { return hardtanh(x, 0, 6); }

namespace {

/// Of integers, in default_dtype().
ir::Expr floating(Recorder& r, const Arg& x) { return {r.builder, r.value(x, r.floating_dtype())}; }

}  // namespace

Tensor hardsigmoid(Arg x) {
  Recorder r("hardsigmoid", {&x});
  const ir::Expr v = floating(r, x);
  return r.tensor((v + 3.0).apply("clamp", {{"min", 0.0}, {"max", 6.0}}) / 6.0);
}

Tensor celu(Arg x, double alpha) {
  Recorder r("celu", {&x});
  if (alpha == 0) r.fail("alpha must not be 0");
  const ir::Expr v = floating(r, x), below = select(v < 0.0, v, v.like(0));
  return r.tensor(select(v < 0.0, (below / alpha).apply("expm1") * alpha, v));
}

Tensor softshrink(Arg x, double lambd) {
  Recorder r("softshrink", {&x});
  if (!(lambd >= 0)) r.fail(fmt::format("lambd must not be negative, but is {}", lambd));
  const ir::Expr v = floating(r, x), high = v.like(lambd), low = v.like(-lambd);
  return r.tensor(select(high < v, v - high, select(v < low, v - low, select(v.apply("is_nan"), v, v * 0.0))));
}

Tensor hardshrink(Arg x, double lambd) {
  Recorder r("hardshrink", {&x});
  const ir::Expr v = floating(r, x), zero = v.like(0);
  return r.tensor(select(v <= v.like(lambd), select(v < v.like(-lambd), v, zero), v));
}

Tensor tanhshrink(Arg x) {
  Recorder r("tanhshrink", {&x});
  const ir::Expr v = floating(r, x);
  return r.tensor(v - v.apply("tanh"));
}

Tensor threshold(Arg x, double threshold, double value) {
  Recorder r("threshold", {&x});
  const ir::Expr v{r.builder, r.value(x)};
  return r.tensor(select(v <= v.like(threshold), v.like(value), v));
}

Tensor softmin(Arg x, int64_t axis) {
  Recorder r("softmin", {&x});
  const ir::Expr given = floating(r, x);
  ir::Value v = -given;
  const int64_t along = r.axis_of(v, axis);
  return r.tensor(r.builder.reshape(r.builder("softmax", {v}, {{"axis", along}}), given.value().shape()));
}

Tensor glu(Arg x, int64_t axis) {
  Recorder r("glu", {&x});
  const ir::Expr v = floating(r, x);
  const Shape& shape = v.value().shape();
  const auto along = static_cast<size_t>(r.axis(axis, shape.rank()));
  if (shape.dims()[along] % 2 != 0) r.fail(fmt::format("axis {} must have an even extent, to be halved", along));
  Dims start(shape.dims().size(), 0), end = shape.dims(), middle = start, until = end;
  middle[along] = until[along] = shape.dims()[along] / 2;
  const ir::Expr first = v.apply("slice", {{"start", start}, {"end", until}}), second = v.apply("slice", {{"start", middle}, {"end", end}});
  return r.tensor(first * second.apply("sigmoid"));
}

namespace nn {

Tensor CELU::forward(Tensor x) { return celu(x, alpha_); }
Tensor Softshrink::forward(Tensor x) { return softshrink(x, lambd_); }
Tensor Hardshrink::forward(Tensor x) { return hardshrink(x, lambd_); }
Tensor Threshold::forward(Tensor x) { return threshold(x, threshold_, value_); }
Tensor GLU::forward(Tensor x) { return glu(x, axis_); }
Tensor Softmin::forward(Tensor x) { return softmin(x, axis_); }
Tensor Softmax2d::forward(Tensor x) {
  const Arg operand(x);
  if (x.dim() != 3 && x.dim() != 4)
    Recorder("nn::Softmax2d", {&operand}).fail("x must be [n, channels, height, width] or [channels, height, width]");
  return softmax(x, -3);
}
Tensor GELU::forward(Tensor x) { return gelu(x, approximate_); }
Tensor LeakyReLU::forward(Tensor x) { return leaky_relu(x, negative_slope_); }
Tensor ELU::forward(Tensor x) { return elu(x, alpha_); }
Tensor Softplus::forward(Tensor x) { return softplus(x, beta_, threshold_); }
Tensor Hardtanh::forward(Tensor x) { return hardtanh(x, min_, max_); }
Tensor Softmax::forward(Tensor x) { return softmax(x, axis_); }
Tensor LogSoftmax::forward(Tensor x) { return log_softmax(x, axis_); }

PReLU::PReLU(int64_t num_parameters, PReLUOptions options, std::source_location at) {
  const detail::Making make{"nn::PReLU", at};
  make.require(num_parameters >= 1, fmt::format("there must be at least one parameter, not {}", num_parameters));
  weight = add("weight", make.constant("weight", {num_parameters}, options.init, options.dtype));
}

Tensor PReLU::forward(Tensor x) { return prelu(x, weight); }

}  // namespace nn
}  // namespace weft
