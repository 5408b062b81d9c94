#pragma once
// Inputs and outputs of a graph as its program has them.

#include <vector>

#include "weft/ir/graph.h"
#include "weft/runtime/program.h"

namespace weft::program {

std::vector<Port> input_ports(const ir::Graph& graph);
std::vector<Port> output_ports(const ir::Graph& graph);

}  // namespace weft::program
