#include "weft/frontend/nn/convolution.h"

#include <cmath>

#include "weft/frontend/defaults.h"

namespace weft::nn {
namespace {

Parameter uniform(const char* name, DType dtype, Shape shape, double bound) {
  Array values(dtype, std::move(shape));
  fill_uniform(values, -bound, bound);
  return {name, std::move(values)};
}

struct Weights {
  Parameter weight, bias;
};

/// A weight [outer, inner / groups, kernel...] and a bias of `out` elements.
Weights weights(const char* layer, int64_t outer, int64_t inner, int64_t out, const PerAxis& kernel, int spatial, int64_t groups, bool bias,
                std::optional<DType> given) {
  const DType dtype = given.value_or(default_dtype());
  if (outer < 1 || inner < 1 || groups < 1 || outer % groups || inner % groups || !is_floating(dtype))
    throw Error("nn::{}: channels and groups must be positive, groups must divide the channels and the element type must be floating", layer);
  Dims shape{outer, inner / groups};
  double fan_in = static_cast<double>(inner / groups);
  for (int64_t extent : kernel.over(spatial, std::string("nn::") + layer + "'s kernel")) {
    if (extent < 1) throw Error("nn::{}: the kernel's extents must be positive", layer);
    shape.push_back(extent), fan_in *= static_cast<double>(extent);
  }
  const double bound = 1 / std::sqrt(fan_in);
  Weights all{uniform("weight", dtype, Shape(shape), bound), {}};
  if (bias) all.bias = uniform("bias", dtype, {out}, bound);
  return all;
}

}  // namespace

Conv1d::Conv1d(int64_t in, int64_t out, PerAxis kernel, ConvOptions o) : options_{o.stride, o.padding, o.dilation, o.groups} {
  Weights w = weights("Conv1d", out, in, out, kernel, 1, o.groups, o.bias, o.dtype);
  weight = add("weight", w.weight);
  if (o.bias) bias = add("bias", w.bias);
}
Tensor Conv1d::forward(Tensor x) { return bias.defined() ? conv1d(x, weight, bias, options_) : conv1d(x, weight, options_); }

Conv2d::Conv2d(int64_t in, int64_t out, PerAxis kernel, ConvOptions o) : options_{o.stride, o.padding, o.dilation, o.groups} {
  Weights w = weights("Conv2d", out, in, out, kernel, 2, o.groups, o.bias, o.dtype);
  weight = add("weight", w.weight);
  if (o.bias) bias = add("bias", w.bias);
}
Tensor Conv2d::forward(Tensor x) { return bias.defined() ? conv2d(x, weight, bias, options_) : conv2d(x, weight, options_); }

ConvTranspose2d::ConvTranspose2d(int64_t in, int64_t out, PerAxis kernel, ConvTransposeOptions o)
    : options_{o.stride, o.padding, o.output_padding, o.dilation, o.groups} {
  Weights w = weights("ConvTranspose2d", in, out, out, kernel, 2, o.groups, o.bias, o.dtype);
  weight = add("weight", w.weight);
  if (o.bias) bias = add("bias", w.bias);
}
Tensor ConvTranspose2d::forward(Tensor x) {
  return bias.defined() ? conv_transpose2d(x, weight, bias, options_) : conv_transpose2d(x, weight, options_);
}

}  // namespace weft::nn
