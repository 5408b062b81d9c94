#pragma once
// Differentiates a loop into a loop that runs the other way.
//
// The body is differentiated once: of a step, the gradients of what it saw from those of what it made. That is split where values
// meet that do not depend on any gradient. What the way back reads of a step's own values (not what is cheap to make again, as slices,
// broadcasts and constants are) becomes results of the loop itself, one slice a step. A value that every step sees has a gradient
// that is a sum over the steps: where it ends in a product, all steps' factors are kept and multiplied at once behind the loop.

#include <vector>

#include "weft/ir/builder.h"

namespace weft::passes {

/// Which results of a loop depend on active operands along a path that can carry a gradient, over any number of steps.
std::vector<bool> active_results(const ir::Op& loop, const std::vector<bool>& active_operands);

/// The gradient of each wanted operand, null where none flows, from those of the results (null: none). A loop with more results
/// takes the place of this one: whoever read its results reads those.
std::vector<ir::Value> loop_gradients(ir::Builder& builder, const ir::Op& loop, const std::vector<ir::Value>& result_gradients,
                                      const std::vector<bool>& wanted);

}  // namespace weft::passes
