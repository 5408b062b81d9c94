#pragma once
// Losses: function objects, so that they can be called and also be handed to a Trainer. Semantics and defaults follow
// torch.nn.functional; nn::CrossEntropyLoss and so on hold their options: nn::CrossEntropyLoss({.label_smoothing = 0.1}).
//
// Weights are tensors or parameters (which no optimizer trains unless told to). `reduction` is "mean", "sum" or "none"; the
// mean is over all elements unless said otherwise. Every call throws weft::Error naming the operands and the user's line when
// shapes, element types or options do not fit.

#include <optional>
#include <string>

#include "weft/frontend/language/tensor.h"

namespace weft {

// --- Differences: input and target have one shape (PyTorch warns and broadcasts) ------------------------------------------

struct LossOptions {
  std::string reduction = "mean";
};

/// (input - target)^2.
struct MseLoss {
  Tensor operator()(Arg input, Arg target, LossOptions options = {}) const;
};
inline constexpr MseLoss mse_loss;

/// |input - target|; the derivative at 0 is 0.
struct L1Loss {
  Tensor operator()(Arg input, Arg target, LossOptions options = {}) const;
};
inline constexpr L1Loss l1_loss;

struct SmoothL1Options {
  std::string reduction = "mean";
  double beta = 1;  // not negative
};

/// With d = |input - target|: d^2 / (2 beta) where d < beta, else d - beta / 2.
struct SmoothL1Loss {
  Tensor operator()(Arg input, Arg target, SmoothL1Options options = {}) const;
};
inline constexpr SmoothL1Loss smooth_l1_loss;

struct HuberOptions {
  std::string reduction = "mean";
  double delta = 1;  // positive
};

/// With d = |input - target|: d^2 / 2 where d < delta, else delta (d - delta / 2).
struct HuberLoss {
  Tensor operator()(Arg input, Arg target, HuberOptions options = {}) const;
};
inline constexpr HuberLoss huber_loss;

// --- Classes: input [N, C, ...] with classes along axis 1, or [C]; target integers, class indices [N, ...] or [] -----------------

struct NllOptions {
  std::optional<Arg> weight = {};  // [C]: each sample counts as much as its class; the mean divides by the sum of these weights
  /// Samples of this target count nothing: loss and gradient 0, left out of the mean, which is nan when none is left. Without
  /// a value every target is a class. (PyTorch's default ignores -100; to leave it out costs a count in every step.)
  std::optional<int64_t> ignore_index = {};
  std::string reduction = "mean";
};

/// -input[target] for log-probabilities. A class outside 0 .. C-1 that is not ignored is an error where the target is fed, as it is
/// or moved by a number (y - 1); of a computed target it gives nan (CompileOptions::check_finite says so).
struct NllLoss {
  Tensor operator()(Arg input, Arg target, NllOptions options = {}) const;
};
inline constexpr NllLoss nll_loss;

struct CrossEntropyOptions {
  std::optional<Arg> weight = {};            // as in NllOptions; for probabilities it scales the classes' terms alone
  std::optional<int64_t> ignore_index = {};  // as in NllOptions; not for probabilities
  std::string reduction = "mean";
  double label_smoothing = 0;  // in [0, 1]: this share of each target is spread over all classes
};

/// -log softmax(input)[target]. A floating target of the input's shape holds probabilities: -sum(target log softmax(input)),
/// whose mean is over samples.
struct CrossEntropy {
  Tensor operator()(Arg input, Arg target, CrossEntropyOptions options = {}) const;
};
inline constexpr CrossEntropy cross_entropy;

struct MultiMarginOptions {
  int p = 1;  // or 2
  double margin = 1;
  std::optional<Arg> weight = {};  // [C]: scales a sample's loss by its class, and does not divide the mean
  std::string reduction = "mean";
};

/// sum over i != target of max(0, margin - input[target] + input[i])^p / C; input [N, C] or [C]. Classes as in NllLoss.
struct MultiMarginLoss {
  Tensor operator()(Arg input, Arg target, MultiMarginOptions options = {}) const;
};
inline constexpr MultiMarginLoss multi_margin_loss;

// --- Probabilities: input and target have one shape ------------------------------------------------------------------------

struct BceOptions {
  std::optional<Arg> weight = {};  // broadcasts to the input
  std::string reduction = "mean";
};

/// -(target log(input) + (1 - target) log(1 - input)), logarithms not below -100. Numbers outside 0 .. 1 are an error where they
/// are fed.
struct Bce {
  Tensor operator()(Arg input, Arg target, BceOptions options = {}) const;
};
inline constexpr Bce binary_cross_entropy;

struct BceWithLogitsOptions {
  std::optional<Arg> weight = {};  // broadcasts to the input
  std::string reduction = "mean";
  std::optional<Arg> pos_weight = {};  // of the targets' positive part; broadcasts to the input
};

/// The same of sigmoid(input), without overflow.
struct BceWithLogits {
  Tensor operator()(Arg input, Arg target, BceWithLogitsOptions options = {}) const;
};
inline constexpr BceWithLogits binary_cross_entropy_with_logits;

struct KlDivOptions {
  std::string reduction = "mean";  // or "batchmean": the sum over the extent of axis 0, which is the divergence's own mean
  bool log_target = false;         // the target holds log-probabilities
};

/// target (log(target) - input), 0 where target is 0; input holds log-probabilities.
struct KlDiv {
  Tensor operator()(Arg input, Arg target, KlDivOptions options = {}) const;
};
inline constexpr KlDiv kl_div;

// --- Pairs -------------------------------------------------------------------------------------------------------------------

struct CosineEmbeddingOptions {
  double margin = 0;  // in [-1, 1]
  std::string reduction = "mean";
};

/// With c the cosine of input1 and input2, [N, D] or [D]: 1 - c where target is 1, max(0, c - margin) where it is -1. Target is
/// [N] or [], 1 or -1.
struct CosineEmbedding {
  Tensor operator()(Arg input1, Arg input2, Arg target, CosineEmbeddingOptions options = {}) const;
};
inline constexpr CosineEmbedding cosine_embedding_loss;

namespace nn {

/// A loss that holds its options.
template <class Function, class Options>
class Criterion {
 public:
  explicit Criterion(Options options = {}) : options_(std::move(options)) {}
  Tensor operator()(Arg input, Arg target) const
    requires std::is_invocable_v<Function, Arg, Arg, Options>
  {
    return Function()(input, target, options_);
  }
  Tensor operator()(Arg input1, Arg input2, Arg target) const
    requires std::is_invocable_v<Function, Arg, Arg, Arg, Options>
  {
    return Function()(input1, input2, target, options_);
  }
  Tensor operator()(Arg input, Arg target, Arg input_lengths, Arg target_lengths) const
    requires std::is_invocable_v<Function, Arg, Arg, Arg, Arg, Options>
  {
    return Function()(input, target, input_lengths, target_lengths, options_);
  }

 private:
  Options options_;
};

using MSELoss = Criterion<MseLoss, LossOptions>;
using L1Loss = Criterion<weft::L1Loss, LossOptions>;
using SmoothL1Loss = Criterion<weft::SmoothL1Loss, SmoothL1Options>;
using HuberLoss = Criterion<weft::HuberLoss, HuberOptions>;
using NLLLoss = Criterion<NllLoss, NllOptions>;
using CrossEntropyLoss = Criterion<CrossEntropy, CrossEntropyOptions>;
using MultiMarginLoss = Criterion<weft::MultiMarginLoss, MultiMarginOptions>;
using BCELoss = Criterion<Bce, BceOptions>;
using BCEWithLogitsLoss = Criterion<BceWithLogits, BceWithLogitsOptions>;
using KLDivLoss = Criterion<KlDiv, KlDivOptions>;
using CosineEmbeddingLoss = Criterion<CosineEmbedding, CosineEmbeddingOptions>;

}  // namespace nn
}  // namespace weft
