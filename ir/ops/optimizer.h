#pragma once
// What the training step must know of an update op: its run-time scalars and its states.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weft/ir/attribute.h"
#include "weft/ir/location.h"
#include "weft/ir/type.h"
#include "weft/ir/value.h"

namespace weft::ir {

class Builder;

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
  std::function<std::vector<StateSpec>(const Type& parameter, const std::function<bool(std::string_view)>& on)> states;
  /// Updates rows: the gradient is that of a row_sparse, and its index an operand behind the run-time scalars.
  bool rows = false;
  /// The parameters' number of axes, where the rule is for one.
  std::optional<int> rank = {};

  /// The operands in front of the states.
  int fixed_operands() const { return 3 + static_cast<int>(hypers.size()) + (rows ? 1 : 0); }
};

/// The states that the update keeps of a parameter of this type. Throws nothing for attributes that are none of the op's.
std::vector<StateSpec> states_of(const OptimizerSpec& spec, const Type& parameter, const NamedAttributes& attributes);

/// An update op of the program's own.
struct ProgramRule {
  std::string op, doc;
  std::vector<HyperSpec> hypers;
  std::vector<StateSpec> states;
  /// The new parameter, then the new states, of the op's operands: parameter, gradient, step, hypers, states.
  std::function<std::vector<Value>(Builder&, const std::vector<Value>&)> apply;
};
/// Adds it, as register_op() does, and throws what that throws.
void register_optimizer(ProgramRule rule, Location at);

// Types of states.
inline Type like_parameter(const Type& parameter) { return parameter; }
inline Type single_number(const Type&) { return {f64, {}}; }

/// Every update op of weft's.
const std::vector<const OptimizerSpec*>& all_optimizers();
/// Null when `op` is no update op, weft's or one that was registered.
const OptimizerSpec* find_optimizer(std::string_view op);

}  // namespace weft::ir
