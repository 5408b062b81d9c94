#pragma once
// A nest or a launch of nests, as far as some of its results go.

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "weft/ir/graph.h"
#include "weft/passes/analysis/nests.h"

namespace weft::passes {

/// The operands that these results of the region follow from, by number.
std::set<int> operands_of(const ir::Op& region, const std::set<int>& results);

/// Makes these results once more, of those operands (by number; all that they follow from), in nests that stand before `before` and are
/// added to `made`. Gives them by number; none, and the graph is as it was, where what is left of a nest would be none.
std::optional<std::map<int, ir::Value>> make_again(ir::Graph& graph, const ir::Op& region, const std::set<int>& results,
                                                   const std::map<int, ir::Value>& operands, const Nests& nests, ir::Op* before,
                                                   std::vector<ir::Op*>& made);

}  // namespace weft::passes
