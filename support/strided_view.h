#pragma once
// Elements of an array in memory, read as one of another shape.

#include <optional>

#include "weft/support/shape.h"

namespace weft {

/// Element [i, j, ...] lies `offset` + i * strides[0] + j * strides[1] + ... elements behind the first one in memory.
struct StridedView {
  int64_t offset = 0;
  Dims extents, strides;

  /// All of a row-major array.
  static StridedView dense(const Shape& shape);
  /// As an attribute: the offset, then the extents, then the strides; no numbers, for none. Nothing where these are no view: extents or
  /// strides that are negative, another count, or more than 2^62 elements from the first to the last.
  static std::optional<StridedView> parse(const Dims& numbers);
  Dims numbers() const;

  /// From the first element in memory to the last one that is read; 0 where none is.
  int64_t reach() const;
  /// The same elements as an array with axis order[i] in the place of axis i.
  StridedView permuted(const Dims& order) const;

  bool operator==(const StridedView&) const = default;
};

/// Does it name each axis of this rank once?
bool is_permutation_of(const Dims& order, int rank);
}  // namespace weft
