#pragma once
// Which op inside of a call made a value that is not finite.

#include <optional>
#include <vector>

#include "weft/backends/reference/reference.h"
#include "weft/frontend/program/not_finite.h"
#include "weft/ir/graph.h"

namespace weft::detail {

struct ValueOrigin {
  std::string op;
  ir::Locations locations;
  ValueStatistics values;
  std::vector<NotFinite::Operand> operands;
  std::string element;  // the first such one and what it is: "element [2,1] is nan"
};

/// Interprets the call on `operands`, which its results, those at `results`, are of. None where all that is not finite was so in the
/// operands or is a constant, or comes of these: -inf + 1, but not inf - inf.
std::optional<ValueOrigin> origin_of(const ir::Op& call, std::span<const reference::Tensor> operands,
                                     std::span<const reference::Tensor> results);

}  // namespace weft::detail
