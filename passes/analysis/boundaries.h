#pragma once
// What lies between kernels: which of them read what others wrote, and what that costs.

#include <vector>

#include "weft/passes/analysis/groups.h"

namespace weft::passes {

/// From a kernel or a call to another one that reads what it makes, straight or through views of memory that are no kernels.
struct Boundary {
  ir::Value value;  // the largest that is read across it
  ir::Op* direct;   // what reads it as it is: the reader, or the first of the views
  ir::Op* reader;
  int64_t bytes;  // that are read across it, and written where nobody else reads them
};

/// Is there a kernel or a call for the group? A lone view, or a lone constant, is memory.
bool runs(const Groups& groups, int group);

/// One for every two groups between which there is any, in the order of their readers.
std::vector<Boundary> boundaries(const ir::Graph& graph, const Groups& groups);

}  // namespace weft::passes
