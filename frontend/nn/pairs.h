#pragma once
// Layers of torch.nn that take two tensors: Bilinear, CosineSimilarity, PairwiseDistance. They are called with both: layer(a, b).

#include <optional>
#include <source_location>

#include "weft/frontend/nn/layers.h"

namespace weft::nn {

struct BilinearOptions {
  bool bias = true;
  std::optional<DType> dtype = {};  // of the parameters; default_dtype() unless given
};

/// y_k = a^T weight_k b + bias_k; a [..., in1_features], b [..., in2_features], y [..., out_features]. Weight and bias start in U(-k, k)
/// with k = 1 / sqrt(in1_features).
class Bilinear : public Layer {
 public:
  /// Throws weft::Error, naming the line, when a size is not positive or the dtype is not floating.
  Bilinear(int64_t in1_features, int64_t in2_features, int64_t out_features, BilinearOptions options = {},
           std::source_location at = std::source_location::current());
  Tensor operator()(Arg a, Arg b);

  Parameter weight;  // [out_features, in1_features, in2_features]
  Parameter bias;    // [out_features]; not defined() without a bias
};

/// weft::cosine_similarity.
class CosineSimilarity : public Layer {
 public:
  explicit CosineSimilarity(int64_t axis = 1, double eps = 1e-8) : axis_(axis), eps_(eps) {}
  Tensor operator()(Arg a, Arg b);

 private:
  int64_t axis_;
  double eps_;
};

/// weft::pairwise_distance.
class PairwiseDistance : public Layer {
 public:
  explicit PairwiseDistance(double p = 2, double eps = 1e-6, bool keep_dims = false) : p_(p), eps_(eps), keep_dims_(keep_dims) {}
  Tensor operator()(Arg a, Arg b);

 private:
  double p_, eps_;
  bool keep_dims_;
};

}  // namespace weft::nn
