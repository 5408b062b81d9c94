#pragma once
// Losses of scores for labels of which several hold at once. As in loss.h.

#include <optional>
#include <string>

#include "weft/frontend/language/loss.h"

namespace weft {

/// log(1 + e^(-target input)); target is 1 or -1, of the input's shape.
struct SoftMargin {
  Tensor operator()(Arg input, Arg target, LossOptions options = {}) const;
};
inline constexpr SoftMargin soft_margin_loss;

struct MultiLabelSoftMarginOptions {
  std::optional<Arg> weight = {};  // [C]: of each class
  std::string reduction = "mean";
};

/// The mean over the last axis, the classes, of -(target log sigmoid(input) + (1 - target) log sigmoid(-input)).
struct MultiLabelSoftMargin {
  Tensor operator()(Arg input, Arg target, MultiLabelSoftMarginOptions options = {}) const;
};
inline constexpr MultiLabelSoftMargin multilabel_soft_margin_loss;

/// sum over the targets j and over all classes i that are none of max(0, 1 - (input[j] - input[i])) / C; input [N, C] or [C], target integers
/// of its shape: a sample's classes, then -1, behind which nothing counts. A class beyond C gives nan.
struct MultiLabelMargin {
  Tensor operator()(Arg input, Arg target, LossOptions options = {}) const;
};
inline constexpr MultiLabelMargin multilabel_margin_loss;

namespace nn {

using SoftMarginLoss = Criterion<SoftMargin, LossOptions>;
using MultiLabelSoftMarginLoss = Criterion<MultiLabelSoftMargin, MultiLabelSoftMarginOptions>;
using MultiLabelMarginLoss = Criterion<MultiLabelMargin, LossOptions>;

}  // namespace nn
}  // namespace weft
