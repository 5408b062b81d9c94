#pragma once
// Which elements of the order a `sort` gives.

#include "weft/ir/graph.h"

namespace weft::ir {

struct SortedPart {
  int axis = 0;
  bool descending = false;
  int64_t start = 0, count = 0;  // of the order's places

  /// In no more parts is it computed.
  static constexpr int64_t most_slices = 1 << 16;
};

SortedPart sorted_part(const Op& op);

}  // namespace weft::ir
