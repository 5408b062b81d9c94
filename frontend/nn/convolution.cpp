#include "weft/frontend/nn/convolution.h"

#include <array>
#include <cmath>

namespace weft::nn {
namespace {

struct Weights {
  Parameter weight, bias;
};

/// A weight [channels[0], channels[1] / groups, kernel...] and a bias of `out` elements.
Weights weights(const char* layer, std::array<int64_t, 2> channels, int64_t out, const PerAxis& kernel, int spatial, int64_t groups,
                bool bias, std::optional<DType> dtype, std::source_location at) {
  const detail::Making make{layer, at};
  make.require(groups > 0, fmt::format("groups must be positive, not {}", groups));
  for (int64_t count : channels)
    make.require(count > 0 && count % groups == 0,
                 fmt::format("channels must be positive and groups must divide them: {} channels, {} groups", count, groups));
  Dims extents;
  try {
    extents = kernel.over(spatial, "the kernel");
  } catch (const Error& e) {
    make.fail(e.what());
  }
  Dims shape{channels[0], channels[1] / groups};
  double fan_in = static_cast<double>(shape[1]);
  for (int64_t extent : extents) {
    make.require(extent > 0, fmt::format("the kernel's extents must be positive, not {}", extent));
    shape.push_back(extent), fan_in *= static_cast<double>(extent);
  }
  const double bound = 1 / std::sqrt(fan_in);
  Weights all{make.uniform("weight", shape, bound, dtype), {}};
  if (bias) all.bias = make.uniform("bias", {out}, bound, dtype);
  return all;
}

}  // namespace

Conv1d::Conv1d(int64_t in, int64_t out, PerAxis kernel, ConvOptions o, std::source_location at)
    : options_{o.stride, o.padding, o.dilation, o.groups} {
  Weights w = weights("nn::Conv1d", {out, in}, out, kernel, 1, o.groups, o.bias, o.dtype, at);
  weight = add("weight", w.weight);
  if (o.bias) bias = add("bias", w.bias);
}
Tensor Conv1d::forward(Tensor x) { return bias.defined() ? conv1d(x, weight, bias, options_) : conv1d(x, weight, options_); }

Conv2d::Conv2d(int64_t in, int64_t out, PerAxis kernel, ConvOptions o, std::source_location at)
    : options_{o.stride, o.padding, o.dilation, o.groups} {
  Weights w = weights("nn::Conv2d", {out, in}, out, kernel, 2, o.groups, o.bias, o.dtype, at);
  weight = add("weight", w.weight);
  if (o.bias) bias = add("bias", w.bias);
}
Tensor Conv2d::forward(Tensor x) { return bias.defined() ? conv2d(x, weight, bias, options_) : conv2d(x, weight, options_); }

ConvTranspose2d::ConvTranspose2d(int64_t in, int64_t out, PerAxis kernel, ConvTransposeOptions o, std::source_location at)
    : options_{o.stride, o.padding, o.output_padding, o.dilation, o.groups} {
  Weights w = weights("nn::ConvTranspose2d", {in, out}, out, kernel, 2, o.groups, o.bias, o.dtype, at);
  weight = add("weight", w.weight);
  if (o.bias) bias = add("bias", w.bias);
}
Tensor ConvTranspose2d::forward(Tensor x) {
  return bias.defined() ? conv_transpose2d(x, weight, bias, options_) : conv_transpose2d(x, weight, options_);
}

}  // namespace weft::nn
