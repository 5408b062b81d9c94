#pragma once
// Layers of torch.nn that give images other extents: see frontend/language/ops_image.h for what they compute.

#include "weft/frontend/language/ops_image.h"
#include "weft/frontend/nn/layers.h"

namespace weft::nn {

/// weft::interpolate: nn::Upsample({.scale_factor = 2, .mode = "bilinear"}).
class Upsample : public Layer {
 public:
  explicit Upsample(InterpolateOptions options) : options_(std::move(options)) {}
  Tensor forward(Tensor x) override;

 private:
  InterpolateOptions options_;
};

class PixelShuffle : public Layer {
 public:
  explicit PixelShuffle(int64_t upscale_factor) : factor_(upscale_factor) {}
  Tensor forward(Tensor x) override;

 private:
  int64_t factor_;
};

class PixelUnshuffle : public Layer {
 public:
  explicit PixelUnshuffle(int64_t downscale_factor) : factor_(downscale_factor) {}
  Tensor forward(Tensor x) override;

 private:
  int64_t factor_;
};

class ChannelShuffle : public Layer {
 public:
  explicit ChannelShuffle(int64_t groups) : groups_(groups) {}
  Tensor forward(Tensor x) override;

 private:
  int64_t groups_;
};

class Unfold : public Layer {
 public:
  explicit Unfold(PerAxis kernel, UnfoldOptions options = {}) : kernel_(std::move(kernel)), options_(std::move(options)) {}
  Tensor forward(Tensor x) override;

 private:
  PerAxis kernel_;
  UnfoldOptions options_;
};

class Fold : public Layer {
 public:
  Fold(PerAxis size, PerAxis kernel, UnfoldOptions options = {})
      : size_(std::move(size)), kernel_(std::move(kernel)), options_(std::move(options)) {}
  Tensor forward(Tensor x) override;

 private:
  PerAxis size_, kernel_;
  UnfoldOptions options_;
};

}  // namespace weft::nn
