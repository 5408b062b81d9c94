#include "weft/frontend/nn/convolution.h"

#include <array>
#include <cmath>
#include <tuple>

#include "weft/frontend/nn/padding.h"
#include "weft/support/sliding_window.h"

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

Convolution::Convolution(const char* name, int spatial, int64_t in, int64_t out, const PerAxis& kernel, ConvOptions o,
                         std::source_location at)
    : spatial_(spatial), padding_mode_(o.padding_mode), options_{o.stride, o.padding, o.dilation, o.groups} {
  Weights w = weights(name, {out, in}, out, kernel, spatial, o.groups, o.bias, o.dtype, at);
  weight = add("weight", w.weight);
  if (o.bias) bias = add("bias", w.bias);
  if (padding_mode_ == "zeros") return;
  const detail::Making make{name, at};
  make.require(padding_mode_ == "reflect" || padding_mode_ == "replicate" || padding_mode_ == "circular",
               "the padding mode is \"zeros\", \"reflect\", \"replicate\" or \"circular\", not \"" + padding_mode_ + "\"");
  try {
    const Dims dilation = o.dilation.over(spatial, "the dilation"), stride = o.stride.over(spatial, "the stride");
    low_ = high_ = o.padding.zeros().over(spatial, "the padding");
    for (size_t d = 0; o.padding.same() && d < low_.size(); ++d) {
      make.require(stride[d] == 1, "padding \"same\" needs stride 1");
      const SlidingWindow window{.extent = weight.shape()[static_cast<int>(d) + 2], .dilation = dilation[d]};
      std::tie(low_[d], high_[d]) = window.same_padding();
    }
  } catch (const Error& e) {
    make.fail(e.what());
  }
  for (int64_t amount : low_) make.require(amount >= 0, "the padding must not be negative");
  options_.padding = 0;
}

Tensor Convolution::padded(const Tensor& x) const {
  const int64_t before = x.dim() - spatial_;
  if (padding_mode_ == "zeros" || before < 1 || before > 2) return x;
  return detail::spatially_padded(x, low_, high_, padding_mode_);
}

Tensor Convolution::forward(Tensor x) {
  x = padded(x);
  switch (spatial_) {
    case 1: return bias.defined() ? conv1d(x, weight, bias, options_) : conv1d(x, weight, options_);
    case 2: return bias.defined() ? conv2d(x, weight, bias, options_) : conv2d(x, weight, options_);
    default: return bias.defined() ? conv3d(x, weight, bias, options_) : conv3d(x, weight, options_);
  }
}

TransposedConvolution::TransposedConvolution(const char* name, int spatial, int64_t in, int64_t out, const PerAxis& kernel,
                                             ConvTransposeOptions o, std::source_location at)
    : spatial_(spatial), options_{o.stride, o.padding, o.output_padding, o.dilation, o.groups} {
  Weights w = weights(name, {in, out}, out, kernel, spatial, o.groups, o.bias, o.dtype, at);
  weight = add("weight", w.weight);
  if (o.bias) bias = add("bias", w.bias);
}

Tensor TransposedConvolution::forward(Tensor x) {
  switch (spatial_) {
    case 1: return bias.defined() ? conv_transpose1d(x, weight, bias, options_) : conv_transpose1d(x, weight, options_);
    case 2: return bias.defined() ? conv_transpose2d(x, weight, bias, options_) : conv_transpose2d(x, weight, options_);
    default: return bias.defined() ? conv_transpose3d(x, weight, bias, options_) : conv_transpose3d(x, weight, options_);
  }
}

}  // namespace weft::nn
