// Steps as data: what inputs stand for, for whoever runs the program without a graph, modules and optimizer.

#include <map>
#include <set>

#include "weft/frontend/program/step.h"
#include "weft/frontend/program/step_core.h"
#include "weft/runtime/checkpoint_names.h"
#include "weft/runtime/float_mode.h"
#include "weft/runtime/step_file.h"

namespace weft {
namespace {

StepNumbers numbers_of(const detail::OptimizerCore& core, const std::string& group) {
  StepNumbers numbers{group, core.op};
  for (const Hyper& h : core.hypers) numbers.numbers.push_back({h.name(), h.value(), {}});
  return numbers;
}

/// Two parameters of one name would be one tensor in checkpoints.
void require_names(const StepData& step) {
  std::set<std::string> names;
  for (const StepInput& input : step.inputs)
    if (input.kind == StepInput::Kind::tensor && !names.insert(input.tensor).second)
      throw Error("two parameters are called '{}', and files know them by their names", input.tensor)
          .of(fmt::format("step '{}'", step.name));
}

}  // namespace

StepInput detail::StepCore::saved(const Port& port, const ir::Input& input, const BoundByInput& bound) {
  StepInput saved;
  if (input.role == ir::Role::batch) return saved;
  const Source source = source_of(port, input.role, bound);
  using Kind = StepInput::Kind;
  if (const auto* parameter = std::get_if<BoundParameter*>(&source)) {
    saved.kind = Kind::tensor, saved.tensor = (*parameter)->parameter.name();
  } else if (const auto* state = std::get_if<State>(&source)) {
    saved.kind = Kind::tensor, saved.tensor = checkpoint_names::state(0, state->of->parameter.name(), state->name);
  } else if (const auto* hyper = std::get_if<Hyper*>(&source)) {
    saved.kind = Kind::number, saved.value = (*hyper)->value(), saved.range = (*hyper)->range();
  } else {
    saved.kind = std::holds_alternative<Counter*>(source) ? Kind::counter : Kind::key;
  }
  return saved;
}

StepData detail::StepCore::saved() {
  StepData step{name()};
  const auto indices = index_bounds(recorded.module.graph());
  const auto ranges = value_ranges(recorded.module.graph());
  const BoundByInput bound = bound_parameters();
  std::map<std::string, int64_t, std::less<>> at;
  for (const Port& port : program->inputs()) {
    at[port.name] = static_cast<int64_t>(step.inputs.size());
    step.inputs.push_back(saved(port, *planned.graph().find_input(port.name), bound));
    if (const auto found = indices.find(port.name); found != indices.end()) step.inputs.back().indices = found->second;
    if (const auto found = ranges.find(port.name); found != ranges.end()) step.inputs.back().values = found->second;
  }
  const auto input_of = [&](std::string_view name) {
    const auto found = at.find(name);
    return found == at.end() ? std::nullopt : std::optional(found->second);
  };
  if (recorded.optimizer) {
    OptimizerCore& optimizer = *recorded.optimizer;
    step.numbers.push_back(numbers_of(optimizer, ""));
    for (const auto& group : optimizer.groups) step.numbers.push_back(numbers_of(*group.core, group.name));
    for (StepNumbers& numbers : step.numbers)
      for (StepNumbers::Number& n : numbers.numbers)
        n.input = input_of(numbers.group.empty() ? n.name : optimizer.op + "." + numbers.group + n.name.substr(numbers.op.size()));
    step.stream = optimizer.stream;
  }
  for (const Counter& counter : counters_) {
    step.counters.push_back({input_of(counter.input), {}});
    for (const OptimizerCore::States* states : counter.of) step.counters.back().of.push_back(states->parameter.name());
  }
  step.key = static_cast<uint64_t>(key_[0]), step.seed = seed_;
  require_names(step);
  return step;
}

void Step::save(const std::string& path, const SaveOptions& options) const {
  const FloatMode mode;
  StepData step = core_->saved();
  step.program = core_->target.backend().portable(core_->planned, options.machines);
  write_step(path, step);
}

}  // namespace weft
