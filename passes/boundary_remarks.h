#pragma once
// What the pass `fuse` has to say of the boundaries that it leaves.

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "weft/passes/analysis/groups.h"
#include "weft/passes/analysis/loop_nest.h"
#include "weft/passes/remark.h"

namespace weft::passes {

/// Two ops that read the same value.
struct Beside {
  ir::Op* first;
  ir::Op* second;
  ir::Value value;
};

/// Where two groups, once merged, would cycle. Which op that is, is looked for once someone asks.
inline constexpr const char* another_between = "another op must run between them";

/// The one reason that decides why two groups are not one.
using WhyApart = std::function<std::optional<NoNest>(int a, int b, bool siblings)>;

/// One for every two kernels or calls of which one reads what the other makes, and for every two kernels that read the same: the most
/// costly first.
std::vector<Remark> remarks_on_boundaries(const ir::Graph& graph, const Groups& groups, std::span<const Beside> beside,
                                          const WhyApart& why_apart);

}  // namespace weft::passes
