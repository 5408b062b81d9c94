#pragma once
// Pooling layers, as torch.nn has them: see frontend/language/convolution.h for what they compute.

#include "weft/frontend/language/convolution.h"
#include "weft/frontend/nn/layers.h"

namespace weft::nn {

class MaxPool1d : public Layer {
 public:
  explicit MaxPool1d(PerAxis kernel, MaxPoolOptions options = {}) : kernel_(std::move(kernel)), options_(std::move(options)) {}
  Tensor forward(Tensor x) override;

 private:
  PerAxis kernel_;
  MaxPoolOptions options_;
};

class MaxPool2d : public Layer {
 public:
  explicit MaxPool2d(PerAxis kernel, MaxPoolOptions options = {}) : kernel_(std::move(kernel)), options_(std::move(options)) {}
  Tensor forward(Tensor x) override;

 private:
  PerAxis kernel_;
  MaxPoolOptions options_;
};

class MaxPool3d : public Layer {
 public:
  explicit MaxPool3d(PerAxis kernel, MaxPoolOptions options = {}) : kernel_(std::move(kernel)), options_(std::move(options)) {}
  Tensor forward(Tensor x) override;

 private:
  PerAxis kernel_;
  MaxPoolOptions options_;
};

class AvgPool1d : public Layer {
 public:
  explicit AvgPool1d(PerAxis kernel, AvgPoolOptions options = {}) : kernel_(std::move(kernel)), options_(std::move(options)) {}
  Tensor forward(Tensor x) override;

 private:
  PerAxis kernel_;
  AvgPoolOptions options_;
};

class AvgPool2d : public Layer {
 public:
  explicit AvgPool2d(PerAxis kernel, AvgPoolOptions options = {}) : kernel_(std::move(kernel)), options_(std::move(options)) {}
  Tensor forward(Tensor x) override;

 private:
  PerAxis kernel_;
  AvgPoolOptions options_;
};

class AvgPool3d : public Layer {
 public:
  explicit AvgPool3d(PerAxis kernel, AvgPoolOptions options = {}) : kernel_(std::move(kernel)), options_(std::move(options)) {}
  Tensor forward(Tensor x) override;

 private:
  PerAxis kernel_;
  AvgPoolOptions options_;
};

class AdaptiveAvgPool1d : public Layer {
 public:
  explicit AdaptiveAvgPool1d(PerAxis extents) : extents_(std::move(extents)) {}
  Tensor forward(Tensor x) override;

 private:
  PerAxis extents_;
};

class AdaptiveAvgPool2d : public Layer {
 public:
  explicit AdaptiveAvgPool2d(PerAxis extents) : extents_(std::move(extents)) {}
  Tensor forward(Tensor x) override;

 private:
  PerAxis extents_;
};

class AdaptiveAvgPool3d : public Layer {
 public:
  explicit AdaptiveAvgPool3d(PerAxis extents) : extents_(std::move(extents)) {}
  Tensor forward(Tensor x) override;

 private:
  PerAxis extents_;
};

class AdaptiveMaxPool1d : public Layer {
 public:
  explicit AdaptiveMaxPool1d(PerAxis extents) : extents_(std::move(extents)) {}
  Tensor forward(Tensor x) override;

 private:
  PerAxis extents_;
};

class AdaptiveMaxPool2d : public Layer {
 public:
  explicit AdaptiveMaxPool2d(PerAxis extents) : extents_(std::move(extents)) {}
  Tensor forward(Tensor x) override;

 private:
  PerAxis extents_;
};

class AdaptiveMaxPool3d : public Layer {
 public:
  explicit AdaptiveMaxPool3d(PerAxis extents) : extents_(std::move(extents)) {}
  Tensor forward(Tensor x) override;

 private:
  PerAxis extents_;
};

}  // namespace weft::nn
