#pragma once
// Which inputs hold indices or bounded numbers, and which of them are allowed.

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "weft/ir/graph.h"
#include "weft/runtime/view.h"

namespace weft::detail {

/// Indices from `low` to below `high`, and some others, which a loss ignores say.
struct IndexBound {
  int64_t low = 0, high = 0;
  std::vector<int64_t> besides = {};

  bool allows(int64_t index) const;
  /// "indices below 3 (or -100)".
  std::string text() const;
};

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

/// Numbers that an op takes from `low` to `high` only, as PyTorch checks them.
struct ValueRange {
  double low, high;
};

/// For every floating batch input that some op so bounds, directly, through views or row by row.
std::map<std::string, ValueRange> value_ranges(const ir::Graph& graph);

/// The place of the first element that is not allowed, if there is one; nan never is.
std::optional<size_t> find_outside(std::span<const int64_t> indices, const IndexBound& bound);
std::optional<size_t> find_outside(const View& values, const ValueRange& range);

}  // namespace weft::detail
