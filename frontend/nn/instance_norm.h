#pragma once
// torch.nn.InstanceNorm1d, InstanceNorm2d and InstanceNorm3d, and LocalResponseNorm.

#include <optional>
#include <source_location>

#include "weft/frontend/nn/layers.h"

namespace weft::nn {

struct InstanceNormOptions {
  double eps = 1e-5;
  /// The share of a batch in the running statistics.
  double momentum = 0.1;
  bool affine = false;
  bool track_running_stats = false;
  std::optional<DType> dtype = {};  // of parameters and statistics; default_dtype() unless given
};

/// y = (x - mean) / sqrt(var + eps) * weight + bias for each channel of each sample. With track_running_stats, training steps move the
/// buffers towards the mean over the samples of their means and unbiased variances, and in eval mode these are used.
///
/// forward() throws weft::Error when x has other axes or channels, and for one element per channel where the statistics are x's.
class InstanceNorm : public Layer {
 public:
  Tensor forward(Tensor x) override;

  Parameter weight, bias;               // [features], start at 1 and 0; not defined() unless affine
  Parameter running_mean, running_var;  // [features]; not defined() unless tracked
  Parameter num_batches_tracked;        // i64 []: PyTorch's has it and never counts

 protected:
  /// Throws weft::Error, naming the line, when a number is not finite or eps not positive, features negative or the dtype not floating.
  InstanceNorm(const char* name, int spatial, int64_t features, InstanceNormOptions options, std::source_location at);

 private:
  Tensor normalized(const Tensor& x);
  void track(const Tensor& x, const Axes& over) const;

  const char* name_;
  int spatial_;
  int64_t features_;
  InstanceNormOptions options_;
};

/// x [n, features, length] or [features, length].
struct InstanceNorm1d : InstanceNorm {
  explicit InstanceNorm1d(int64_t features, InstanceNormOptions options = {}, std::source_location at = std::source_location::current())
      : InstanceNorm("nn::InstanceNorm1d", 1, features, options, at) {}
};

/// x [n, features, height, width] or [features, height, width].
struct InstanceNorm2d : InstanceNorm {
  explicit InstanceNorm2d(int64_t features, InstanceNormOptions options = {}, std::source_location at = std::source_location::current())
      : InstanceNorm("nn::InstanceNorm2d", 2, features, options, at) {}
};

/// x [n, features, depth, height, width] or [features, depth, height, width].
struct InstanceNorm3d : InstanceNorm {
  explicit InstanceNorm3d(int64_t features, InstanceNormOptions options = {}, std::source_location at = std::source_location::current())
      : InstanceNorm("nn::InstanceNorm3d", 3, features, options, at) {}
};

struct LocalResponseNormOptions {
  double alpha = 1e-4, beta = 0.75, k = 1;
};

/// weft::local_response_norm.
class LocalResponseNorm : public Layer {
 public:
  explicit LocalResponseNorm(int64_t size, LocalResponseNormOptions options = {}) : size_(size), options_(options) {}
  Tensor forward(Tensor x) override;

 private:
  int64_t size_;
  LocalResponseNormOptions options_;
};

}  // namespace weft::nn
