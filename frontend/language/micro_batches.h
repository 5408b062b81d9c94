#pragma once
// Gradient accumulation within one program: a batch in parts, one after the other.
//
//   Tensor loss = micro_batches(x, y, 4, [&](Tensor x, Tensor y) { return cross_entropy(net(x), y); });
//   Step step = compile(training_step(graph, loss, net.parameters(), sgd), Target::cpu());
//
// Loss and gradient are those of the whole batch, for any number of parts, up to rounding: sums and counts over rows
// are added over the parts before they are divided, so that ignored targets, class weights, masks and `reduction =
// "sum"` count as in one part. It is what PyTorch's users write as a loop over (sum of losses / count in the whole
// batch).backward() before one optimizer.step(). Activations are live for one part at a time; the parts' gradients of
// the parameters are all live until the update, which adds them up in its one sweep, so that memory is saved where
// activations are larger than parameters.
//
// A loss of yours may be any expression of sums, means and extremes over rows (and products over them), of parameters
// and numbers: its reductions are joined over the parts, the rest is computed once, and a number in it that is a count
// of rows, as x.shape()[0], counts the whole batch's. What is no such expression is refused: a loss that picks rows, or
// reduces a matrix of pairs of rows. What looks at the batch as a whole on the way to the reductions (batch
// normalization, a softmax over rows) sees the parts, each in its turn; dropout draws for each part anew.

#include <cstdint>
#include <functional>

#include "weft/frontend/language/tensors.h"

namespace weft {

/// Cuts axis 0 of x and y into `parts` whose lengths differ by at most one (of fewer rows than parts, into single
/// rows), and calls `loss` with each in order; then, if there are several, once more with the whole batch, to see how
/// the loss depends on the number of rows: nothing of that call is computed or updated. Returns the loss of the whole
/// batch. Throws weft::Error when x and y have no axis 0 of equal length, parts is not positive, a loss is no floating
/// scalar or cannot be put together.
Tensor micro_batches(Arg x, Arg y, int64_t parts, const std::function<Tensor(const Tensor&, const Tensor&)>& loss);
/// The same of tensors by name, all of which are cut.
Tensor micro_batches(const Tensors& batch, int64_t parts, const std::function<Tensor(const Tensors&)>& loss,
                     std::source_location at = std::source_location::current());

namespace detail {
/// What is called with each part, and whether that is one of the parts that are computed.
using PartLoss = std::function<Tensor(const Tensors&, bool)>;
Tensor micro_batches(const Tensors& batch, int64_t parts, const PartLoss& loss, std::source_location at);
}  // namespace detail

}  // namespace weft
