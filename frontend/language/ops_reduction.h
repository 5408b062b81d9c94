#pragma once
// Reductions, and what runs along an axis. Names, defaults and semantics follow torch.<name>; without axes they run over all.
//
// Every function throws weft::Error naming the op, what it requires, the operands' types and the user's line.

#include <optional>

#include "weft/frontend/language/tensor.h"

namespace weft {

Tensor sum(Arg x, Axes axes = {}, bool keep_dims = false);   // of bools and integers: i64
Tensor mean(Arg x, Axes axes = {}, bool keep_dims = false);  // floating
/// The sum of (x - mean)^2 over max(count - correction, 0); floating. The correction 1 gives an unbiased estimate.
Tensor var(Arg x, Axes axes = {}, double correction = 1, bool keep_dims = false);
/// sqrt(var); its gradient is 0 where it is 0. torch.std, whose name is a namespace here.
Tensor stddev(Arg x, Axes axes = {}, double correction = 1, bool keep_dims = false);
Tensor prod(Arg x, Axes axes = {}, bool keep_dims = false);  // of bools and integers: i64; its gradient holds where there are zeros
Tensor any(Arg x, Axes axes = {}, bool keep_dims = false);   // bool: is an element not 0? nan is not 0
Tensor all(Arg x, Axes axes = {}, bool keep_dims = false);
Tensor count_nonzero(Arg x, Axes axes = {}, bool keep_dims = false);  // i64
/// log(sum(e^x)), which overflows only where it is infinite; of no elements -inf.
Tensor logsumexp(Arg x, Axes axes, bool keep_dims = false);
/// (sum |x|^p)^(1/p) (torch.linalg.vector_norm): for p infinite the largest |x|, for -infinite the least, for 0 the number of elements
/// that are not 0. Where it is 0, the gradient is 0.
Tensor norm(Arg x, double p = 2, Axes axes = {}, bool keep_dims = false);
Tensor max(Arg x, Axes axes = {}, bool keep_dims = false);  // torch.amax
Tensor min(Arg x, Axes axes = {}, bool keep_dims = false);  // torch.amin
/// i64 index of the largest element, the first of several; without an axis, into x flattened.
Tensor argmax(Arg x, std::optional<int64_t> axis = {}, bool keep_dims = false);
Tensor argmin(Arg x, std::optional<int64_t> axis = {}, bool keep_dims = false);
/// The largest elements along an axis and their indices: torch.max(x, axis). The gradient of the values goes to the element at the
/// index alone; that of max(x, axis), which is torch.amax, to all that are largest.
struct ValuesAndIndices {
  Tensor values, indices;
};
ValuesAndIndices max_with_indices(Arg x, int64_t axis, bool keep_dims = false);
ValuesAndIndices min_with_indices(Arg x, int64_t axis, bool keep_dims = false);
/// The sum and the product of each element and all before it along the axis; of bools and integers: i64.
Tensor cumsum(Arg x, int64_t axis);
Tensor cumprod(Arg x, int64_t axis);
Tensor softmax(Arg x, int64_t axis);
Tensor log_softmax(Arg x, int64_t axis);

}  // namespace weft
