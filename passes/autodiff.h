#pragma once
// Reverse-mode differentiation as ordinary ops: dx = sum over the uses of x of (d use / d x) * d use.
//
// Every op's rule stands in its definition; an op without one is replaced by its decomposition first. Values that no
// differentiable path joins to the loss get a gradient of zero, which is legal only for `gradients` (torch's
// allow_unused with materialized zeros); for a parameter of a training step it is an error. The output is ordinary IR
// and differentiates again.

#include <span>
#include <string>
#include <vector>

#include "weft/ir/module.h"

namespace weft::passes {

/// Appends to the graph the ops that compute d y / d x for each x; y must be a floating scalar. `seed` is d loss / d y
/// (null: 1). Throws weft::Error naming every op on the way that has no gradient, with its lines.
std::vector<ir::Value> gradients(ir::Graph& graph, ir::Value y, std::span<const ir::Value> xs, ir::Value seed = {});

/// The pass: adds an output "<input>.grad" for every input that module.train names. Does nothing without a train
/// block. Runs first, while ops are still the ones that the user wrote.
bool autodiff(ir::Module& module);

}  // namespace weft::passes
