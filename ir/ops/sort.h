#pragma once
// Which elements of the order a `sort` gives.

#include "weft/ir/graph.h"

namespace weft::ir {

struct SortedPart {
  int axis = 0;
  bool descending = false;
  int64_t start = 0, count = 0;  // of the order's places
};

SortedPart sorted_part(const Op& op);

}  // namespace weft::ir
