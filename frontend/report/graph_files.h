#pragma once
// Graphs and reports of a module that is no program yet, in the formats of others.

#include <string>

#include "weft/ir/module.h"

namespace weft::detail {

/// For Graphviz: layers are clusters, parts of the step colours.
std::string dot_text(const ir::Graph& graph);
/// For Model Explorer (github.com/google-ai-edge/model-explorer): layers are its layers, below the part of the step.
std::string model_explorer_text(const ir::Graph& graph);
/// {"program", "stage", "target", "cost", "memory", "calls"}; the last two of a planned module.
std::string module_json(const ir::Module& module);

}  // namespace weft::detail
