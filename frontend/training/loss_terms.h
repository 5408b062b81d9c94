#pragma once
// A loss as a sum of quotients, so that the loss over several batches can be what it would be over all of them at once.

#include <vector>

#include "weft/ir/builder.h"

namespace weft::detail {

/// numerator / count, where the count is a sum over the batch (of class weights, of targets that are not ignored).
/// Where it is null, the numerator is a mean over samples, or counts as one.
struct LossTerm {
  ir::Value numerator, count;
};

/// Terms that add up to `loss`, those without a count joined in one. Over batches, the sum of a term's numerators
/// divided by the sum of its counts is the term of all of them.
std::vector<LossTerm> loss_terms(ir::Builder& b, ir::Value loss);

}  // namespace weft::detail
