#pragma once
// Connectionist temporal classification (Graves et al. 2006): the loss of a sequence of labels that is shorter than the sequence of
// inputs, whatever the places of the labels in it. As in loss.h.

#include <string>

#include "weft/frontend/language/loss.h"

namespace weft {

struct CtcOptions {
  int64_t blank = 0;  // the class that is no label
  std::string reduction = "mean";
  bool zero_infinity = false;  // a loss that is infinite, since the target does not fit into its inputs, counts 0, its gradient too
};

/// -log of the probability of the target, summed over all ways to spread its labels over the inputs (torch.nn.functional.ctc_loss).
///
/// log_probs [T, N, C], of log_softmax; targets [N, S], i64 classes other than the blank, of which each row's first target_lengths are
/// meant; input_lengths and target_lengths [N], integers, at most T and S. Without a batch: [T, C], [S], [] and []. Reduction "mean" divides
/// each loss by its target's length, at least 1, before the mean.
///
/// Targets stand in rows: all in one row, as torch takes them too, would have a shape that depends on lengths. The gradient is the
/// derivative by log_probs; torch's differs by exp(log_probs), which log_softmax takes to 0.
struct CtcLoss {
  Tensor operator()(Arg log_probs, Arg targets, Arg input_lengths, Arg target_lengths, CtcOptions options = {}) const;
};
inline constexpr CtcLoss ctc_loss;

namespace nn {

using CTCLoss = Criterion<CtcLoss, CtcOptions>;

}  // namespace nn
}  // namespace weft
