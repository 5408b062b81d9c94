#pragma once
// The samples by what they are of, where that is a file of its own. Private to samples().

#include "weft/tests/ops/samples.h"

namespace weft::testing {

/// Convolutions, windows and pooling.
void add_sliding(std::vector<Sample>& all, DType t);
void add_optimizers(std::vector<Sample>& all, DType t);
/// Made of those that are there.
void add_degenerate(std::vector<Sample>& all);

}  // namespace weft::testing
