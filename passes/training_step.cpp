#include "weft/passes/training_step.h"

#include <algorithm>

#include "weft/ir/builder.h"
#include "weft/ir/ops/optimizer.h"

namespace weft::passes {
namespace {

using ir::Value;

class StepBuilder {
 public:
  StepBuilder(ir::Graph& graph, const ir::TrainSpec& train, const ir::OptimizerSpec& spec)
      : graph_(graph), train_(train), spec_(spec) {
    const std::string name = train.optimizer + ".step";
    const Value count = graph.add_input(name, {i64, {}}, ir::Role::state);
    ir::Builder b(graph);
    step_ = b("add", {count, b.splat(count.type(), 1)});
    graph.add_output({name, step_, count.index(), {}});
    for (const ir::HyperSpec& h : spec.hypers)
      hypers_.push_back(graph.add_input(train.optimizer + "." + h.name, {f64, {}}, ir::Role::hyper));
  }

  void update(const std::string& name) {
    const ir::Input& input = *graph_.find_input(name);
    const ir::Locations lines = input.locations;
    const Value parameter = input.value(), gradient = graph_.find_output(name + ".grad")->value;
    std::vector<Value> operands{parameter, gradient, step_};
    operands.insert(operands.end(), hypers_.begin(), hypers_.end());
    std::vector<Value> old{parameter};
    for (const ir::StateSpec& state : states_of(parameter.type())) {
      old.push_back(graph_.add_input(name + "." + state.name, state.type(parameter.type()), ir::Role::state, lines));
      operands.push_back(old.back());
    }
    ir::Op& op = ir::Builder(graph_, nullptr, lines).create(train_.optimizer, operands, train_.attributes);
    for (size_t i = 0; i < old.size(); ++i)
      graph_.add_output({old[i].name(), op.result(static_cast<int>(i)), old[i].index(), lines});
  }

 private:
  std::vector<ir::StateSpec> states_of(const ir::Type& parameter) const {
    return spec_.states(parameter, [&](std::string_view flag) {
      // A switch of another kind is refused when the op is made.
      for (const auto& [name, value] : train_.attributes)
        if (const bool* on = std::get_if<bool>(&value); on && name == flag) return *on;
      return false;
    });
  }

  ir::Graph& graph_;
  const ir::TrainSpec& train_;
  const ir::OptimizerSpec& spec_;
  Value step_;
  std::vector<Value> hypers_;
};

}  // namespace

bool training_step(ir::Module& module) {
  if (!module.train) return false;
  const ir::TrainSpec train = std::move(*module.train);
  module.train.reset();
  ir::Graph& graph = module.graph();
  const ir::OptimizerSpec* spec = ir::find_optimizer(train.optimizer);
  if (!spec) throw Error("the train block's optimizer '{}' is no update op", train.optimizer);
  StepBuilder builder(graph, train, *spec);
  for (const std::string& name : train.inputs) builder.update(name);
  for (const std::string& kept : train.keep)
    if (!graph.find_output(kept))
      throw Error("'{}' is to be kept, but it is not the gradient of a trained parameter ('<parameter>.grad')", kept);
  std::erase_if(graph.outputs(), [&](const ir::Output& o) {
    const bool gradient = o.name.ends_with(".grad") &&
                          std::count(train.inputs.begin(), train.inputs.end(), o.name.substr(0, o.name.size() - 5)) > 0;
    return gradient && std::count(train.keep.begin(), train.keep.end(), o.name) == 0;
  });
  return true;
}

}  // namespace weft::passes
