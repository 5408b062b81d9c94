#pragma once
// Which inputs hold indices, and how large those may be.

#include <map>
#include <optional>
#include <span>
#include <string>

#include "weft/ir/graph.h"

namespace weft::detail {

/// For every batch input that some op reads as indices, directly, through views (reshape) or row by row: the smallest exclusive bound.
std::map<std::string, int64_t> index_bounds(const ir::Graph& graph);

/// The place of the first of `indices` that is not in 0 .. bound - 1, if there is one.
std::optional<size_t> find_outside(std::span<const int64_t> indices, int64_t bound);

}  // namespace weft::detail
