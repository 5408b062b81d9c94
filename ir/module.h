#pragma once
// A module: one function (the graph), a header and what is to be trained.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "weft/ir/graph.h"

namespace weft::ir {

/// Parameters that are updated in a way of their own.
struct TrainGroup {
  std::string name;                 // its hyper-parameters are "<optimizer of the train block>.<name>.lr" and so on
  std::vector<std::string> inputs;  // the parameters, by input name; none is in two groups
  std::string optimizer;            // an update op
  NamedAttributes attributes;       // its structural attributes
};

/// What the `autodiff` and `training_step` passes turn into ordinary ops.
struct TrainSpec {
  std::string loss;                 // the output to minimize; must be a floating scalar
  std::vector<std::string> inputs;  // the parameters to train that are in no group, by input name
  std::string optimizer;            // an update op ("sgd", "adam"): see `weft explain op sgd`; empty: the gradients alone are wanted
  NamedAttributes attributes;       // its structural attributes
  std::vector<std::string> keep;    // gradients to keep as outputs, by output name ("fc1.weight.grad")
  bool clip_value = false;          // whether gradients are clipped, by value and by their norm over all groups
  bool clip_norm = false;
  std::vector<TrainGroup> groups;
  Dims counters;  // which counter of its updates each of all_inputs() reads, one for those that have always been
                  // updated together; empty: 0 for all

  /// The state that is counter `i`.
  std::string counter_name(int64_t i) const { return optimizer + (i == 0 ? ".step" : ".step." + std::to_string(i)); }

  /// Every parameter to train: those in no group first.
  std::vector<std::string> all_inputs() const {
    std::vector<std::string> all = inputs;
    for (const TrainGroup& group : groups) all.insert(all.end(), group.inputs.begin(), group.inputs.end());
    return all;
  }
};

class Module {
 public:
  explicit Module(std::string name = "main") : graph_(std::make_unique<Graph>(std::move(name))) {}
  Module(Module&&) noexcept = default;
  Module& operator=(Module&&) noexcept = default;

  Graph& graph() { return *graph_; }
  const Graph& graph() const { return *graph_; }
  void set_graph(std::unique_ptr<Graph> graph) { graph_ = std::move(graph); }
  /// The module is then without a graph, until it is given one.
  std::unique_ptr<Graph> take_graph() { return std::move(graph_); }

  /// The target that the passes asked, e.g. "cpu"; empty before a pipeline has run.
  std::string target;
  /// The last pass of the pipeline that has run; empty for a module as recorded.
  std::string stage;
  /// Bytes of the arena, once planned.
  std::optional<int64_t> arena_bytes;
  std::optional<TrainSpec> train;
  /// Where the text that it was read from says what is in the header and the train block, "net.weft:2:16": by "target", "stage", "arena",
  /// "train", the entries' names ("loss"), "inputs fc1.weight" and "keep fc1.weight.grad" for what lists hold, "group head" and "group head
  /// optimizer" for what groups do, "aliases fc1.weight" for an output that replaces it, "offset" and "offset
  /// below 0" for the first place in the arena. Empty for a module that was recorded.
  std::map<std::string, std::string, std::less<>> places;

  Module clone() const {
    Module copy(graph_->name());
    copy.graph_ = ir::clone(*graph_);
    copy.target = target;
    copy.stage = stage;
    copy.arena_bytes = arena_bytes;
    copy.train = train;
    copy.places = places;
    return copy;
  }

 private:
  std::unique_ptr<Graph> graph_;
};

}  // namespace weft::ir
