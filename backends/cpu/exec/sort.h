#pragma once
// Rows sorted along an axis, with the places that their elements came from.

#include <memory>

#include "weft/backends/cpu/exec/task.h"
#include "weft/support/dtype.h"
#include "weft/support/shape.h"

namespace weft::cpu {

/// x is [outer, extent, inner], both results are [outer, count, inner]: what stands at `start` to start + count - 1 of each row's order.
struct SortSpec {
  DType dtype = f32;
  int64_t outer = 1, extent = 0, inner = 1;
  int64_t start = 0, count = 0;
  bool descending = false;
  /// Parts, of some rows each, that threads sort on their own.
  int64_t slices = 1;

  int64_t rows() const { return outer * inner; }
  /// Bytes that are touched of x, values and indices.
  Dims bytes() const;
};

/// How many slices are worth their threads on `cores` cores.
int64_t useful_slices(const SortSpec& spec, int cores);
int64_t sort_scratch_bytes(const SortSpec& spec);
/// buffers: x, values, indices (i64), then scratch if the plan gives `scratch_bytes` of it. Equal elements keep their order, in either
/// direction, and nan is the largest number.
std::unique_ptr<Task> make_sort(const SortSpec& spec, int64_t scratch_bytes);

}  // namespace weft::cpu
