#pragma once
// torch.nn.Linear.

#include <optional>

#include "weft/frontend/nn/layers.h"

namespace weft::nn {

struct LinearOptions {
  bool bias = true;
  std::optional<DType> dtype = {};  // of the parameters; default_dtype() unless given
};

/// y = x weight^T + bias; x [..., in_features], y [..., out_features]. Weight and bias start in U(-k, k) with
/// k = 1 / sqrt(in_features), as PyTorch's do, drawn from weft's seed (manual_seed).
class Linear : public Layer {
 public:
  /// Throws weft::Error, naming the line, when a size is negative or the dtype is not floating.
  Linear(int64_t in_features, int64_t out_features, LinearOptions options = {}, std::source_location at = std::source_location::current());
  Tensor forward(Tensor x) override;

  Parameter weight;  // [out_features, in_features]
  Parameter bias;    // [out_features]; not defined() without a bias
};

}  // namespace weft::nn
