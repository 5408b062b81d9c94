#pragma once
// How a product is cut into parts that threads run on their own. The cut follows from the product and the number of
// parts, never from the number of threads, so any number of threads gives the same bits.

#include <vector>

#include "weft/backends/cpu/exec/matmul.h"

namespace weft::cpu {

/// One part: products `batch` to batch + batches - 1, rows m to m + rows - 1, columns n to n + columns - 1 of the result.
struct Slice {
  int64_t batch = 0, batches = 1, m = 0, rows = 0, n = 0, columns = 0;
};

/// How many threads, at most `most`, so much arithmetic is worth: each must get far more of it than a barrier costs.
int64_t useful_threads(double flops, int64_t most);

/// spec.slices parts along the axis where threads read least of what others have written: along the batch nothing, along n all of a,
/// along m all of b, which of a weight's gradient they have already; and those who read a large result share its rows. Parts end at multiples of 16 elements, where there are enough.
std::vector<Slice> slices_of(const MatmulSpec& spec);

}  // namespace weft::cpu
