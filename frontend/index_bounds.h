#pragma once
// Which inputs hold indices, and how large those may be.

#include <map>
#include <string>

#include "weft/ir/graph.h"

namespace weft::detail {

/// For every batch input that some op reads as indices, directly or through views (reshape): the smallest exclusive bound.
std::map<std::string, int64_t> index_bounds(const ir::Graph& graph);

}  // namespace weft::detail
