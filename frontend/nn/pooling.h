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

 protected:
  PerAxis kernel_;
  Options options_;
};

/// with_indices(x) gives both of return_indices, for MaxUnpool.
template <auto pool, auto pool_with_indices>
class MaxPooling : public Pooling<pool, MaxPoolOptions> {
 public:
  using Pooling<pool, MaxPoolOptions>::Pooling;
  ValuesAndIndices with_indices(Arg x) {
    const typename MaxPooling::Entered entered(*this, x);
    return pool_with_indices(entered.tensor(x), this->kernel_, this->options_);
  }
};

using MaxPool1d = MaxPooling<max_pool1d, max_pool1d_with_indices>;
using MaxPool2d = MaxPooling<max_pool2d, max_pool2d_with_indices>;
using MaxPool3d = MaxPooling<max_pool3d, max_pool3d_with_indices>;

/// unpool(x, indices) puts the results of a MaxPool back to where they came from.
template <auto unpool>
class MaxUnpooling : public Layer {
 public:
  explicit MaxUnpooling(PerAxis kernel, MaxUnpoolOptions options = {}) : kernel_(std::move(kernel)), options_(std::move(options)) {}
  Tensor operator()(Arg x, Arg indices) {
    const Entered entered(*this, x);
    return unpool(entered.tensor(x), entered.tensor(indices), kernel_, options_);
  }
  /// To so many elements along each spatial axis.
  Tensor operator()(Arg x, Arg indices, Dims output_size) {
    const Entered entered(*this, x);
    MaxUnpoolOptions options = options_;
    options.output_size = std::move(output_size);
    return unpool(entered.tensor(x), entered.tensor(indices), kernel_, options);
  }

 private:
  PerAxis kernel_;
  MaxUnpoolOptions options_;
};

using MaxUnpool1d = MaxUnpooling<max_unpool1d>;
using MaxUnpool2d = MaxUnpooling<max_unpool2d>;
using MaxUnpool3d = MaxUnpooling<max_unpool3d>;
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
