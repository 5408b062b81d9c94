#pragma once
// What a loss depends on that nobody trains.

#include <string>
#include <vector>

#include "weft/frontend/language/parameter.h"
#include "weft/ir/graph.h"

namespace weft::detail {

struct BoundParameter;

/// A parameter that a loss depends on differentiably and that is none of those it is differentiated by, and the lines that use it.
struct Untrained {
  Parameter parameter;
  std::string line;
};

/// Those that modules have and nobody has asked for so far. `bound` are the graph's, `given` those that the loss is differentiated by.
/// Nothing where no module has what is given: whoever lists single parameters has chosen them.
std::vector<Untrained> untrained_of(const ir::Graph& graph, const std::vector<BoundParameter>& bound, ir::Value loss,
                                    const std::vector<Parameter>& given);

}  // namespace weft::detail
