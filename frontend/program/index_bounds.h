#pragma once
// Which inputs hold indices or bounded numbers, and which of them are allowed.

#include <map>
#include <string>
#include <vector>

#include "weft/ir/graph.h"
#include "weft/runtime/value_bounds.h"

namespace weft::detail {

/// For every batch input that some op reads as indices: directly, through views (reshape), row by row, moved by a
/// number (y - 1), or but for some (select(y == -100, 0, y)).
std::map<std::string, IndexBound> index_bounds(const ir::Graph& graph);

/// An index operand of an op that no bound of an input covers, and its exclusive upper bound.
struct ComputedIndex {
  const ir::Op* op;
  ir::Value value;
  int64_t bound;
};
std::vector<ComputedIndex> computed_indices(const ir::Graph& graph);

/// For every floating batch input of whose elements some op takes only those of a range, as PyTorch checks them: directly, through views or row by row.
std::map<std::string, ValueRange> value_ranges(const ir::Graph& graph);

}  // namespace weft::detail
