#pragma once
// A graph that is ready to compile, and how a graph becomes a training step.

#include <memory>
#include <source_location>
#include <string>
#include <vector>

#include "weft/frontend/graph.h"
#include "weft/frontend/optim/optimizer.h"
#include "weft/frontend/recording.h"

namespace weft {

/// A copy of a graph as it was when this was made, and of what its inputs are bound to.
struct Recorded {
  Recorded(const Graph& graph);
  Recorded(const Recorded& other);
  Recorded(Recorded&&) = default;

  /// The text form, train block included.
  std::string ir() const;

  ir::Module module;
  detail::Bindings bindings;
  std::shared_ptr<detail::OptimizerCore> optimizer;  // null unless made by training_step
};

struct TrainingOptions {
  /// Gradients to keep as outputs of the step: "fc1.weight.grad".
  std::vector<std::string> keep = {};
};

/// The whole step: forward, gradients, update of `parameters`. `loss` must be a floating scalar of the graph; when it is
/// no output yet it becomes the output "loss". Switches of the optimizer (momentum, weight decay: on when not 0) are taken
/// as they are now.
///
/// Throws weft::Error naming every parameter that the graph does not use, that is given twice, or that Graph::update
/// updates already; compile() names those that the loss does not depend on.
Recorded training_step(const Graph& graph, const Tensor& loss, const std::vector<Parameter>& parameters,
                       const optim::Optimizer& optimizer, TrainingOptions options = {},
                       std::source_location at = std::source_location::current());

}  // namespace weft
