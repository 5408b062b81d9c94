#pragma once
// torch.nn.Linear.

#include <optional>

#include "weft/frontend/nn/module.h"

namespace weft::nn {

struct LinearOptions {
  bool bias = true;
  std::optional<DType> dtype = {};  // of the parameters; default_dtype() unless given
};

/// y = x weight^T + bias; x [..., in_features], y [..., out_features]. Weight and bias start in U(-k, k) with
/// k = 1 / sqrt(in_features), as PyTorch's do, drawn from weft's seed (manual_seed).
class Linear : public Module {
 public:
  /// Throws weft::Error when a size is negative or the dtype is not floating.
  Linear(int64_t in_features, int64_t out_features, LinearOptions options = {});
  Tensor forward(Tensor x) override;

  Parameter weight;  // [out_features, in_features]
  Parameter bias;    // [out_features]; not defined() without a bias

 protected:
  bool is_library() const override { return true; }
};

}  // namespace weft::nn
