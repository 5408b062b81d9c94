#pragma once
// Normalization: of x, and of vectors and distances between them. Weights and biases are left out where not given.
//
// Every function throws weft::Error naming the op, what it requires, the operands' types and the user's line.

#include <optional>

#include "weft/frontend/language/tensor.h"

namespace weft {

/// d / sqrt(mean(d^2) + eps) with d = x - mean(x), or x itself without `center`: the means over `axes` (all when none are
/// given). With `center`, this is mean 0 and variance 1.
Tensor standardize(Arg x, Axes axes = {}, double eps = 1e-5, bool center = true);
/// Standardized over the last axes, which must be `shape`; then times weight plus bias, of that shape.
Tensor layer_norm(Arg x, Dims shape, std::optional<Arg> weight = {}, std::optional<Arg> bias = {}, double eps = 1e-5);
/// x / sqrt(mean(x^2) + eps) over the last axes, times weight. Without eps: the type's distance from 1 to the next number.
Tensor rms_norm(Arg x, Dims shape, std::optional<Arg> weight = {}, std::optional<double> eps = {});
/// x [N, C, ...] standardized over each of `groups` equal parts of a sample's channels; weight and bias are [C]. Refused, as in
/// PyTorch, where N is 1 and a group has one value.
Tensor group_norm(Arg x, int64_t groups, std::optional<Arg> weight = {}, std::optional<Arg> bias = {}, double eps = 1e-5);
/// x [N, C, ...] / (k + alpha * mean)^beta, the mean of the squares of `size` neighbouring channels, zeros beyond the first and the last.
Tensor local_response_norm(Arg x, int64_t size, double alpha = 1e-4, double beta = 0.75, double k = 1);

/// x / max(norm(x, p, axis), eps): vectors of length 1 (torch.nn.functional.normalize).
Tensor normalize(Arg x, double p = 2, int64_t axis = 1, double eps = 1e-12);
/// The cosine of the angle between vectors along the axis: sum(a b) / (max(norm(a), eps) max(norm(b), eps)); shapes broadcast.
Tensor cosine_similarity(Arg a, Arg b, int64_t axis = 1, double eps = 1e-8);
/// norm(a - b + eps, p) along the last axis.
Tensor pairwise_distance(Arg a, Arg b, double p = 2, double eps = 1e-6, bool keep_dims = false);
/// The distance norm(a - b, p) of each row of a [..., m, d] to each of b [..., n, d]: [..., m, n].
Tensor cdist(Arg a, Arg b, double p = 2);

}  // namespace weft
