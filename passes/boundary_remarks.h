#pragma once
// What the pass `fuse` has to say of the boundaries that it leaves.

#include <functional>
#include <optional>
#include <span>

#include "weft/passes/analysis/groups.h"
#include "weft/passes/analysis/loop_nest.h"
#include "weft/passes/remarks.h"

namespace weft::passes {

/// Two ops that read the same value.
struct Beside {
  ir::Op* first;
  ir::Op* second;
  ir::Value value;
};

/// The one reason that decides why two groups are not one.
struct Apart {
  NoNest reason;
  /// Once merged they would cycle: another op must run between them. Which, is looked for where someone asks.
  bool would_cycle = false;
};
using WhyApart = std::function<std::optional<Apart>(int a, int b, bool siblings)>;

/// One for every two kernels or calls of which one reads what the other makes, and for every two kernels that read the same: the most
/// costly first.
void remark_on_boundaries(const ir::Graph& graph, const Groups& groups, std::span<const Beside> beside, const WhyApart& why_apart,
                          Remarks& to);

}  // namespace weft::passes
