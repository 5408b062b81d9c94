#pragma once
// The loss of a whole batch, from parts of it.
//
// Each part's loss is the same expression of numbers into which its rows were reduced: sums (which means are over),
// counts, extremes. The whole's loss is that expression of the reductions over all parts:
//
//   part i:  div(sum(each_i), sum(counts_i))        whole:  div(sum over i of sum(each_i), sum over i of sum(counts_i))
//
// Which reductions these are, and which numbers in the expression are themselves counts of rows, shows where a part
// differs from the same loss recorded for the whole batch: what that computes of rows is left without a reader.

#include <vector>

#include "weft/frontend/language/recorder.h"

namespace weft::detail {

/// `rows` are the parts' numbers of rows. Throws weft::Error, naming the op and its line, when the loss is no such
/// expression: when it picks single rows, or reduces what pairs rows with each other.
ir::Value joined_loss(Recorder& r, ir::Value whole, const std::vector<ir::Value>& parts, const std::vector<int64_t>& rows);

}  // namespace weft::detail
