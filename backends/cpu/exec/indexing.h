#pragma once
// gather and scatter_add: rows picked and added to by index.

#include <memory>

#include "weft/backends/cpu/exec/task.h"
#include "weft/support/dtype.h"

namespace weft::cpu {

/// x is [outer, extent, inner], the index has `count` elements, what is gathered is [outer, count, inner].
struct IndexingSpec {
  DType dtype = f32;
  int64_t outer = 1, extent = 0, count = 0, inner = 1;
};

/// buffers: x, index (i64), result.
std::unique_ptr<Task> make_gather(const IndexingSpec& spec);
/// buffers: x, index (i64), updates, result. Adds in the order of the updates, on one thread.
std::unique_ptr<Task> make_scatter_add(const IndexingSpec& spec);

}  // namespace weft::cpu
