#pragma once
// Normalizing layers of torch.nn: batch, layer, RMS and group normalization. Weights start at 1, biases at 0.
// Constructors throw weft::Error, naming the line, when a size is negative or the dtype is not floating.

#include <optional>
#include <source_location>

#include "weft/frontend/nn/layers.h"

namespace weft::nn {

struct BatchNormOptions {
  double eps = 1e-5;
  /// The share of a batch in the running statistics; without a value they are the average over all batches.
  std::optional<double> momentum = 0.1;
  bool affine = true;
  bool track_running_stats = true;
  std::optional<DType> dtype = {};  // of parameters and statistics; default_dtype() unless given
};

/// y = (x - mean) / sqrt(var + eps) * weight + bias for each channel, axis 1.
///
/// In training mode mean and biased variance are the batch's, and every step moves the buffers towards them:
/// running = (1 - momentum) * running + momentum * (the batch's mean, its unbiased variance). In eval mode they are the
/// running ones. Without track_running_stats there are no buffers, and it is always the batch's.
///
/// An empty batch counts as a training step and moves no statistics. forward() throws weft::Error when x has other axes or
/// channels, for one value per channel where the statistics are the batch's, and for an eps that is negative or there 0; the
/// constructor when eps or momentum is not finite.
class BatchNorm : public Layer {
 public:
  Tensor forward(Tensor x) override;

  Parameter weight, bias;               // [features]; not defined() unless affine
  Parameter running_mean, running_var;  // [features]; not defined() unless tracked
  Parameter num_batches_tracked;        // i64 []: training steps so far

 protected:
  /// `name` is for messages; x has one of the numbers of axes `lowest`, `highest`.
  BatchNorm(const char* name, int lowest, int highest, int64_t features, BatchNormOptions options, std::source_location at);

 private:
  void track(const Tensor& x, const Axes& over) const;

  const char* name_;
  int lowest_, highest_;
  int64_t features_;
  BatchNormOptions options_;
};

/// x [N, features] or [N, features, L].
struct BatchNorm1d : BatchNorm {
  explicit BatchNorm1d(int64_t features, BatchNormOptions options = {}, std::source_location at = std::source_location::current())
      : BatchNorm("nn::BatchNorm1d", 2, 3, features, options, at) {}
};

/// x [N, features, H, W].
struct BatchNorm2d : BatchNorm {
  explicit BatchNorm2d(int64_t features, BatchNormOptions options = {}, std::source_location at = std::source_location::current())
      : BatchNorm("nn::BatchNorm2d", 4, 4, features, options, at) {}
};

/// x [N, features, D, H, W].
struct BatchNorm3d : BatchNorm {
  explicit BatchNorm3d(int64_t features, BatchNormOptions options = {}, std::source_location at = std::source_location::current())
      : BatchNorm("nn::BatchNorm3d", 5, 5, features, options, at) {}
};

struct LayerNormOptions {
  double eps = 1e-5;
  bool elementwise_affine = true;
  bool bias = true;
  std::optional<DType> dtype = {};
};

/// weft::layer_norm over the last axes, which have the extents `shape`: nn::LayerNorm({32, 512}), or over the last one: nn::LayerNorm(512).
class LayerNorm : public Layer {
 public:
  explicit LayerNorm(Dims shape, LayerNormOptions options = {}, std::source_location at = std::source_location::current());
  explicit LayerNorm(int64_t features, LayerNormOptions options = {}, std::source_location at = std::source_location::current())
      : LayerNorm(Dims{features}, options, at) {}
  Tensor forward(Tensor x) override;

  Parameter weight, bias;  // of `shape`

 private:
  Dims shape_;
  double eps_;
};

struct RMSNormOptions {
  std::optional<double> eps = {};  // the element type's distance from 1 to the next number unless given
  bool elementwise_affine = true;
  std::optional<DType> dtype = {};
};

/// weft::rms_norm over the last axes, or the last one.
class RMSNorm : public Layer {
 public:
  explicit RMSNorm(Dims shape, RMSNormOptions options = {}, std::source_location at = std::source_location::current());
  explicit RMSNorm(int64_t features, RMSNormOptions options = {}, std::source_location at = std::source_location::current())
      : RMSNorm(Dims{features}, options, at) {}
  Tensor forward(Tensor x) override;

  Parameter weight;  // of `shape`

 private:
  Dims shape_;
  std::optional<double> eps_;
};

struct GroupNormOptions {
  double eps = 1e-5;
  bool affine = true;
  std::optional<DType> dtype = {};
};

/// weft::group_norm of x [N, channels, ...].
class GroupNorm : public Layer {
 public:
  /// Throws weft::Error unless `groups` divides `channels`.
  GroupNorm(int64_t groups, int64_t channels, GroupNormOptions options = {}, std::source_location at = std::source_location::current());
  Tensor forward(Tensor x) override;

  Parameter weight, bias;  // [channels]

 private:
  int64_t groups_, channels_;
  double eps_;
};

}  // namespace weft::nn
