#pragma once
// What the training step must know of an update op: its run-time scalars and its states.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weft/ir/attribute.h"

namespace weft::ir {

struct HyperSpec {
  std::string name;
  std::string doc;
};

/// A state that an optimizer keeps for each parameter, zero before the first step.
struct StateSpec {
  std::string name;
  /// Its type, from the parameter's.
  Type (*type)(const Type& parameter);
};

struct OptimizerSpec {
  std::string op;
  /// Run-time scalars, f64[], in operand order.
  std::vector<HyperSpec> hypers;
  /// The states, given the parameter's type and which switches are on.
  std::vector<StateSpec> (*states)(const Type& parameter, const std::function<bool(std::string_view)>& on);
  /// Updates rows: the gradient is that of a row_sparse, and its index an operand behind the run-time scalars.
  bool rows = false;
  /// The parameters' number of axes, where the rule is for one.
  std::optional<int> rank = {};

  /// The operands in front of the states.
  int fixed_operands() const { return 3 + static_cast<int>(hypers.size()) + (rows ? 1 : 0); }
};

/// The states that the update keeps of a parameter of this type. Throws nothing for attributes that are none of the op's.
std::vector<StateSpec> states_of(const OptimizerSpec& spec, const Type& parameter, const NamedAttributes& attributes);

/// Every update op.
const std::vector<const OptimizerSpec*>& all_optimizers();
/// Null when `op` is no update op.
const OptimizerSpec* find_optimizer(std::string_view op);

}  // namespace weft::ir
