#pragma once
// What the training step must know of an update op: its run-time scalars and its states.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace weft::ir {

struct HyperSpec {
  std::string name;
  std::string doc;
};

struct OptimizerSpec {
  /// Run-time scalars, f64[], in operand order.
  std::vector<HyperSpec> hypers;
  /// Names of the per-parameter states (zero before the first step), given which switches are on.
  std::function<std::vector<std::string>(const std::function<bool(std::string_view)>& on)> states;
};

/// Null when `op` is no update op.
const OptimizerSpec* find_optimizer(std::string_view op);

}  // namespace weft::ir
