#pragma once
// A graph as ONNX (onnx.ai), so that Netron and others open it.

#include <string>

#include "weft/ir/module.h"

namespace weft::detail {

/// The bytes of a model of the graph, in the operators of ONNX's version 20 where ops have an equal there; other ops, loop nests and library
/// calls with an epilogue among them, are operators of the domain "weft" with their attributes and bodies. All inputs of the graph are
/// inputs of the model; parameters' elements are not part of it. Nodes are named by layer and result, and say their source lines.
std::string onnx_model(const ir::Graph& graph);

}  // namespace weft::detail
