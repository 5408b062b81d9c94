#include "weft/frontend/tool/describer.h"

#include <algorithm>
#include <cmath>

#include "weft/frontend/optim/defaults_of.h"
#include "weft/frontend/program/index_bounds.h"
#include "weft/ir/op_def.h"
#include "weft/ir/registry.h"
#include "weft/runtime/checkpoint_names.h"

namespace weft::tool {

using Kind = StepInput::Kind;

namespace {

/// Does it turn a part of the update on by not being 0?
bool is_switch(const Hyper& hyper, const detail::OptimizerCore& optimizer) {
  const std::string name = hyper.name().substr(optimizer.op.size() + 1);
  const auto& attributes = ir::op_def(optimizer.op).attributes;
  return name.starts_with("clip_") ||
         std::any_of(attributes.begin(), attributes.end(), [&](const ir::AttributeSpec& spec) { return spec.name == name; });
}

/// Checkpoints hold all that an optimizer has; what the program does not read is off in it, or as it is by default.
void add_numbers_left_out(StepData& step) {
  for (StepNumbers& numbers : step.numbers) {
    const auto optimizer = detail::defaults_of(numbers.op);
    if (!optimizer) continue;
    for (const Hyper& hyper : optimizer->hypers) {
      const auto is_it = [&](const StepNumbers::Number& n) { return n.name == hyper.name(); };
      if (std::none_of(numbers.numbers.begin(), numbers.numbers.end(), is_it))
        numbers.numbers.push_back({hyper.name(), is_switch(hyper, *optimizer) ? 0 : hyper.value(), std::nullopt});
    }
  }
}

}  // namespace

/// An optimizer's number: its default, and what it may be.
struct Describer::Known {
  double value;
  NumberRange range;
  bool must_be_given;  // by default it is off, and the program was built with it
};

Describer::Describer(const ir::Module& recorded)
    : name_(recorded.graph().name()), indices_(detail::index_bounds(recorded.graph())), ranges_(detail::value_ranges(recorded.graph())) {
  if (recorded.train) train_ = *recorded.train;
}

Described Describer::describe(const ir::Graph& planned, const std::map<std::string, double>& settings) const {
  Described all{.step = {.name = name_}};
  if (train_ && !train_->optimizer.empty()) add_optimizer(all.step);
  for (const ir::Input& input : planned.inputs()) add_input(all, input, settings);
  add_numbers_left_out(all.step);
  return all;
}

void Describer::add_optimizer(StepData& step) const {
  step.numbers.push_back({"", train_->optimizer});
  for (const ir::TrainGroup& group : train_->groups) step.numbers.push_back({group.name, group.optimizer});
  const std::vector<std::string> inputs = train_->all_inputs();
  for (size_t i = 0; i < inputs.size(); ++i) {
    const auto number = static_cast<size_t>(train_->counters.empty() ? 0 : train_->counters[i]);
    if (step.counters.size() <= number) step.counters.resize(number + 1);
    step.counters[number].of.push_back(inputs[i]);
  }
}

void Describer::add_input(Described& to, const ir::Input& input, const std::map<std::string, double>& settings) const {
  const std::string& name = input.node->name;
  StepData& step = to.step;
  StepInput added;
  switch (input.role) {
    case ir::Role::batch:
      if (const auto found = indices_.find(name); found != indices_.end()) added.indices = found->second;
      if (const auto found = ranges_.find(name); found != ranges_.end()) added.values = found->second;
      break;
    case ir::Role::parameter: added.kind = Kind::tensor, added.tensor = name; break;
    case ir::Role::state:
      if (const auto counter = counter_named(name, step))
        added.kind = Kind::counter, step.counters[*counter].input = static_cast<int64_t>(step.inputs.size());
      else added.kind = Kind::tensor, added.tensor = state_name(name);
      break;
    case ir::Role::hyper: add_hyper(to, added, name, settings); break;
    case ir::Role::key: added.kind = Kind::key; break;
  }
  step.inputs.push_back(std::move(added));
}

void Describer::add_hyper(Described& to, StepInput& added, const std::string& name, const std::map<std::string, double>& settings) const {
  added.kind = Kind::number;
  to.numbers.push_back(name);
  const std::optional<Known> known = known_number(name, to.step);
  if (known) added.range = known->range;
  if (const auto set = settings.find(name); set != settings.end()) {
    added.value = set->second;
    if (std::isnan(added.value) || (known && !std::isfinite(added.value)))
      throw Error("--set {}: it must be a finite number, not {}", name, added.value);
    if (!added.range.allows(added.value)) throw Error("--set {}: it must lie in {}, not be {}", name, added.range.text(), added.value);
  } else if (known && !known->must_be_given) {
    added.value = known->value;
  } else {
    to.missing.push_back(name);
  }
  // "adam.lr" where the program reads "adam.head.lr", as checkpoints call it.
  if (StepNumbers* owner = owner_of(name, to.step))
    owner->numbers.push_back(
        {owner->op + "." + name.substr(start_of(*owner).size()), added.value, static_cast<int64_t>(to.step.inputs.size())});
}

std::optional<size_t> Describer::counter_named(const std::string& name, const StepData& step) const {
  for (size_t i = 0; i < step.counters.size(); ++i)
    if (train_->counter_name(static_cast<int64_t>(i)) == name) return i;
  return std::nullopt;
}

/// "weft.optimizer0/fc1.weight/exp_avg" for "fc1.weight.exp_avg"; a buffer of the model stays what it is.
std::string Describer::state_name(const std::string& name) const {
  const size_t dot = name.rfind('.');
  if (!train_ || dot == std::string::npos) return name;
  const std::vector<std::string> trained = train_->all_inputs();
  const std::string parameter = name.substr(0, dot);
  if (std::find(trained.begin(), trained.end(), parameter) == trained.end()) return name;
  return checkpoint_names::state(0, parameter, name.substr(dot + 1));
}

/// The optimizer's own, or one of its groups', that the number belongs to; null for another number.
StepNumbers* Describer::owner_of(const std::string& name, StepData& step) const {
  for (size_t i = step.numbers.size(); i-- > 0;)
    if (name.starts_with(start_of(step.numbers[i]))) return &step.numbers[i];
  return nullptr;
}

/// "adam.", "adam.head.": how their inputs are called.
std::string Describer::start_of(const StepNumbers& numbers) const {
  return train_->optimizer + "." + (numbers.group.empty() ? "" : numbers.group + ".");
}

/// What weft::optim says of an optimizer's number.
std::optional<Describer::Known> Describer::known_number(const std::string& name, StepData& step) const {
  const StepNumbers* owner = owner_of(name, step);
  const auto optimizer = owner ? detail::defaults_of(owner->op) : nullptr;
  const Hyper* hyper = optimizer ? optimizer->hyper(name.substr(start_of(*owner).size())) : nullptr;
  if (!hyper) return std::nullopt;
  return Known{hyper->value(), hyper->range(), hyper->value() == 0 && is_switch(*hyper, *optimizer)};
}

}  // namespace weft::tool
