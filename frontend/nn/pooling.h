#pragma once
// Pooling layers, as torch.nn has them: see frontend/language/convolution.h for what they compute.

#include "weft/frontend/language/convolution.h"
#include "weft/frontend/nn/layers.h"

namespace weft::nn {

/// nn::MaxPool2d(2, {.stride = 1}) is pool(x, 2, {.stride = 1}) as a layer.
template <auto pool, class Options>
class Pooling : public Layer {
 public:
  explicit Pooling(PerAxis kernel, Options options = {}) : kernel_(std::move(kernel)), options_(std::move(options)) {}
  Tensor forward(Tensor x) override { return pool(x, kernel_, options_); }

 private:
  PerAxis kernel_;
  Options options_;
};

using MaxPool1d = Pooling<max_pool1d, MaxPoolOptions>;
using MaxPool2d = Pooling<max_pool2d, MaxPoolOptions>;
using MaxPool3d = Pooling<max_pool3d, MaxPoolOptions>;
using AvgPool1d = Pooling<avg_pool1d, AvgPoolOptions>;
using AvgPool2d = Pooling<avg_pool2d, AvgPoolOptions>;
using AvgPool3d = Pooling<avg_pool3d, AvgPoolOptions>;

/// To so many elements along each axis.
template <auto pool>
class AdaptivePooling : public Layer {
 public:
  explicit AdaptivePooling(PerAxis extents) : extents_(std::move(extents)) {}
  Tensor forward(Tensor x) override { return pool(x, extents_); }

 private:
  PerAxis extents_;
};

using AdaptiveAvgPool1d = AdaptivePooling<adaptive_avg_pool1d>;
using AdaptiveAvgPool2d = AdaptivePooling<adaptive_avg_pool2d>;
using AdaptiveAvgPool3d = AdaptivePooling<adaptive_avg_pool3d>;
using AdaptiveMaxPool1d = AdaptivePooling<adaptive_max_pool1d>;
using AdaptiveMaxPool2d = AdaptivePooling<adaptive_max_pool2d>;
using AdaptiveMaxPool3d = AdaptivePooling<adaptive_max_pool3d>;

}  // namespace weft::nn
