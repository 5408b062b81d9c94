#pragma once
// Gradient accumulation within one program: a batch in parts, one after the other.
//
//   Tensor loss = micro_batches(x, y, 4, [&](Tensor x, Tensor y) { return cross_entropy(net(x), y); });
//   Step step = compile(training_step(graph, loss, net.parameters(), sgd), Target::cpu());
//
// The gradient is that of the loss over the whole batch: what PyTorch's users write as a loop over
// (loss * count / total).backward() before one optimizer.step(). Activations are live for one part at a time; the parts'
// gradients of the parameters are all live until the update, which adds them up in its one sweep, so that memory is saved
// where activations are larger than parameters. A layer that looks at
// the batch as a whole (batch normalization) sees the parts, each in its turn; dropout draws for each part anew.

#include <cstdint>
#include <functional>

#include "weft/frontend/tensor.h"

namespace weft {

/// Cuts axis 0 of x and y into `parts` whose lengths differ by at most one (of fewer rows than parts, into single rows), and
/// calls `loss` with each in order. Returns the mean of the losses weighted by the parts' lengths. Throws weft::Error when
/// x and y have no axis 0 of equal length, parts is not positive or a loss is no floating scalar.
Tensor micro_batches(Arg x, Arg y, int64_t parts, const std::function<Tensor(const Tensor&, const Tensor&)>& loss);

}  // namespace weft
