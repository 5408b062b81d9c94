#pragma once
// gather, scatter_add, scatter_rows and coalesce: rows picked, added to, replaced and summed by index.

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
/// Bytes to sort the indices in.
int64_t scatter_add_scratch_bytes(const IndexingSpec& spec);
/// buffers: x, index (i64), updates, result, which may be x, scratch if the plan gives `scratch_bytes` of it. On one thread.
std::unique_ptr<Task> make_scatter_add(const IndexingSpec& spec, int64_t scratch_bytes);
/// buffers: x, index (i64), updates, result, which may be x; the last update of an index stands.
std::unique_ptr<Task> make_scatter_rows(const IndexingSpec& spec);

/// Bytes to sort `count` indices in.
int64_t coalesce_scratch_bytes(int64_t count);
/// buffers: index (i64, `count`), rows [count, inner], result, scratch if the plan gives `scratch_bytes` of it. On one thread.
std::unique_ptr<Task> make_coalesce(const IndexingSpec& spec, int64_t scratch_bytes);

}  // namespace weft::cpu
