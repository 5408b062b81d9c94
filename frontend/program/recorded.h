#pragma once
// A graph that is ready to compile, and how a graph becomes a training step.

#include <memory>
#include <source_location>
#include <string>
#include <vector>

#include "weft/frontend/language/graph.h"
#include "weft/frontend/language/recording.h"
#include "weft/frontend/optim/optimizer.h"

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
  std::vector<Parameter> frozen = {};                // of those given to training_step
  size_t groups = 0;                                 // that the optimizer had then
  std::vector<Hyper> clips = {};                     // that were not 0 then
  /// What the loss depends on that the program does not train.
  std::vector<detail::Untrained> untrained = {};

  /// Of a training step: the parameters of its train block's inputs, in their order; null for those whose rule keeps no state.
  std::vector<const Parameter*> counted() const;
  /// Gives parameters that share a counter of steps one each where they were not updated equally often.
  void tell_counters_apart();
  /// Throws weft::Error when a parameter has been frozen since, or one was then and is no longer.
  void check_freezing(const std::string& step) const;
  /// Throws weft::Error when the optimizer has got a group since with a parameter that the step trains.
  void check_groups(const std::string& step) const;
  /// Throws weft::Error for what the loss depends on, no step trains, and no model has that was asked for its parameters: a layer that was
  /// made without add().
  void check_untrained(const std::string& step) const;
};

struct TrainingOptions {
  /// Gradients to keep as outputs of the step: "fc1.weight.grad".
  std::vector<std::string> keep = {};
};

/// The whole step: forward, gradients, update of `parameters`. Those that are frozen (requires_grad_(false)) are left out: they have
/// no gradient, no state and no part in clipping; freezing or unfreezing one later makes the next step throw weft::Error, which says
/// to record and compile again. `loss` must be a floating scalar of the graph; when it is
/// no output yet it becomes the output "loss". Switches of the optimizer (momentum, weight decay: on when not 0) are taken
/// as they are now.
///
/// Other parameters that the loss depends on stay as they are, as in torch: the other net of a GAN, all but the head. A layer's that
/// belongs to no module whose parameters() anybody has asked for by the first call of the step was forgotten, and that call throws
/// weft::Error; say requires_grad_(false) of one that shall stay so.
///
/// Throws weft::Error naming every parameter that the graph does not use, that is given twice, or that Graph::update
/// updates already, and when all are frozen; compile() names those that the loss does not depend on.
Recorded training_step(const Graph& graph, const Tensor& loss, const std::vector<Parameter>& parameters, const optim::Optimizer& optimizer,
                       TrainingOptions options = {}, std::source_location at = std::source_location::current());

}  // namespace weft
