#pragma once
// The names of gradients that are outputs.

#include "weft/ir/graph.h"

namespace weft::ir {

/// What is the gradient of an input by an output's name ("fc1.weight.grad") keeps that name, wherever passes put it. A text that is read
/// does not say whose names are kept, so that all of these are: by the parser, and by the pass training_step for what was recorded.
void name_gradients(const Graph& graph);

}  // namespace weft::ir
