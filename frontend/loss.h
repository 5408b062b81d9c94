#pragma once
// Losses: function objects, so that they can be called and also be handed to a Trainer. Semantics and defaults follow
// torch.nn.functional.

#include <string>

#include "weft/frontend/tensor.h"

namespace weft {

struct LossOptions {
  std::string reduction = "mean";  // "mean", "sum" or "none"
};

/// -log softmax(logits)[target]. logits [N, C, ...] with classes along axis 1 (or [C]), floating; target [N, ...], i64
/// class indices. A class outside 0 .. C-1 is an error when fed directly, else it gives nan.
struct CrossEntropy {
  Tensor operator()(Arg logits, Arg target, LossOptions options = {}) const;
};
inline constexpr CrossEntropy cross_entropy;

/// (input - target)^2; the shapes must be equal (PyTorch warns and broadcasts).
struct MseLoss {
  Tensor operator()(Arg input, Arg target, LossOptions options = {}) const;
};
inline constexpr MseLoss mse_loss;

}  // namespace weft
