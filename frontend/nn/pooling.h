#pragma once
// Pooling layers, as torch.nn has them: see frontend/language/convolution.h for what they compute.

#include "weft/frontend/language/convolution.h"
#include "weft/frontend/nn/layers.h"

namespace weft::nn {

class MaxPool2d : public Layer {
 public:
  explicit MaxPool2d(PerAxis kernel, MaxPoolOptions options = {}) : kernel_(std::move(kernel)), options_(std::move(options)) {}
  Tensor forward(Tensor x) override;

 private:
  PerAxis kernel_;
  MaxPoolOptions options_;
};

class AvgPool2d : public Layer {
 public:
  explicit AvgPool2d(PerAxis kernel, AvgPoolOptions options = {}) : kernel_(std::move(kernel)), options_(std::move(options)) {}
  Tensor forward(Tensor x) override;

 private:
  PerAxis kernel_;
  AvgPoolOptions options_;
};

class AdaptiveAvgPool2d : public Layer {
 public:
  explicit AdaptiveAvgPool2d(PerAxis extents) : extents_(std::move(extents)) {}
  Tensor forward(Tensor x) override;

 private:
  PerAxis extents_;
};

}  // namespace weft::nn
