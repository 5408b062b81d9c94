#include "weft/frontend/program/recorded.h"

#include <algorithm>
#include <map>
#include <set>

#include "weft/frontend/language/scope.h"
#include "weft/frontend/optim/core.h"
#include "weft/ir/ops/optimizer.h"
#include "weft/ir/printer.h"

namespace weft {
namespace {

/// The value in `to`, a clone of `from`, that stands where `v` stands in `from`.
ir::Value twin(ir::Value v, const ir::Graph& from, const ir::Graph& to) {
  if (v.is_input()) return to.input(v.index());
  auto there = to.ops().begin();
  for (const auto& op : from.ops()) {
    if (op == v.op()) return (*there)->result(v.index());
    ++there;
  }
  throw InternalError("a tensor's op is not in its graph");
}

/// The name of the output that holds the loss; the output "loss" is made when there is none.
std::string name_loss(const Graph& graph, const Tensor& loss, ir::Graph& copy, const std::string& line) {
  if (loss.recording != graph.recording())
    throw Error("the loss belongs to the graph '{}', not to '{}'", loss.recording ? loss.recording->name() : "(none)", graph.name())
        .of("training_step")
        .at(line);
  if (!is_floating(loss.dtype()) || loss.shape().rank() != 0)
    throw Error("the loss must be a floating scalar, not {}", to_string(loss.value().type()))
        .of("training_step")
        .at(line)
        .hint("reduce it first (mean or sum)");
  const ir::Value value = twin(loss.value(), graph.recording()->graph(), copy);
  for (const ir::Output& output : copy.outputs())
    if (output.value == value && !output.alias) return output.name;
  if (copy.find_output("loss"))
    throw Error("the graph's output 'loss' is another tensor than the loss given at {}", line)
        .of("training_step")
        .hint("output the loss under a name of its own");
  const ir::Locations lines = value.is_input() ? copy.inputs()[static_cast<size_t>(value.index())].locations : value.op()->locations();
  copy.add_output({"loss", value, {}, lines});
  return "loss";
}

/// Takes the frozen ones out of `parameters`. Throws weft::Error when none is left.
std::vector<Parameter> take_frozen(std::vector<Parameter>& parameters, const std::string& line) {
  std::vector<Parameter> frozen, trained;
  for (const Parameter& parameter : parameters) (parameter.requires_grad() ? trained : frozen).push_back(parameter);
  if (trained.empty() && !frozen.empty()) {
    std::string names;
    for (const Parameter& parameter : frozen) names += fmt::format(" '{}'", parameter.name());
    throw Error("the loss needs no gradient, for all parameters are frozen:{}", names)
        .of("training_step")
        .at(line)
        .hint("requires_grad_() those that shall be trained");
  }
  parameters = std::move(trained);
  return frozen;
}

/// The inputs that stand for the parameters, in their order.
std::vector<std::string> inputs_of(const Recorded& recorded, const std::vector<Parameter>& parameters, const std::string& line) {
  std::vector<std::string> inputs;
  std::string unused, twice;
  for (const Parameter& parameter : parameters) {
    const auto& bound = recorded.bindings.parameters;
    const auto found = std::find_if(bound.begin(), bound.end(), [&](const auto& b) { return b.parameter.is(parameter); });
    if (found == bound.end()) {
      unused += fmt::format(" '{}'", parameter.name());
      continue;
    }
    const bool repeated = std::count(inputs.begin(), inputs.end(), found->input) > 0;
    if (repeated || recorded.module.graph().find_output(found->input)) twice += fmt::format(" '{}'", found->input);
    inputs.push_back(found->input);
  }
  if (parameters.empty()) throw Error("there are no parameters to train").of("training_step").at(line);
  if (!unused.empty())
    throw Error("the graph '{}' does not use these parameters, so they cannot be trained:{}", recorded.module.graph().name(), unused)
        .of("training_step")
        .at(line)
        .hint("check the model, leave them out, or freeze them: requires_grad_(false)");
  if (!twice.empty())
    throw Error("these parameters are given twice, or Graph::update or an output of the same name has them already:{}", twice)
        .of("training_step")
        .at(line);
  return inputs;
}

/// The optimizer's groups as far as they are trained; their parameters leave `inputs`.
std::vector<ir::TrainGroup> take_groups(const Recorded& recorded, std::vector<std::string>& inputs,
                                        const detail::OptimizerCore& optimizer) {
  std::vector<ir::TrainGroup> groups;
  for (const detail::OptimizerCore::Group& group : optimizer.groups) {
    ir::TrainGroup taken{.name = group.name, .optimizer = group.core->op, .attributes = group.core->attributes()};
    for (const detail::BoundParameter& bound : recorded.bindings.parameters) {
      const auto at = std::find(inputs.begin(), inputs.end(), bound.input);
      const bool in_group =
          std::any_of(group.parameters.begin(), group.parameters.end(), [&](const Parameter& p) { return p.is(bound.parameter); });
      if (!in_group || at == inputs.end()) continue;
      inputs.erase(at);
      taken.inputs.push_back(bound.input);
    }
    if (!taken.inputs.empty()) groups.push_back(std::move(taken));
  }
  return groups;
}

/// Whether it is a program that trains by updates of its own (Graph::update).
bool updates_parameters(const Recorded& recorded) {
  return std::any_of(recorded.module.graph().outputs().begin(), recorded.module.graph().outputs().end(), [&](const ir::Output& output) {
    if (!output.alias) return false;
    const std::string& input = recorded.module.graph().inputs()[static_cast<size_t>(*output.alias)].node->name;
    return std::any_of(recorded.bindings.parameters.begin(), recorded.bindings.parameters.end(),
                       [&](const detail::BoundParameter& b) { return b.input == input && !b.parameter.is_buffer(); });
  });
}

}  // namespace

Recorded::Recorded(const Graph& graph) : bindings(graph.recording()->bindings) {
  graph.recording()->settle();
  module = graph.recording()->module.clone();
  if (updates_parameters(*this)) untrained = graph.recording()->untrained;
}

Recorded::Recorded(const Recorded& other)
    : module(other.module.clone()), bindings(other.bindings), optimizer(other.optimizer), frozen(other.frozen), groups(other.groups),
      clips(other.clips), untrained(other.untrained) {}

std::string Recorded::ir() const { return ir::print(module); }

std::vector<const Parameter*> Recorded::counted() const {
  std::map<std::string_view, const Parameter*> parameters;
  for (const detail::BoundParameter& bound : bindings.parameters) parameters[bound.input] = &bound.parameter;
  std::vector<const Parameter*> all;
  const auto count = [&](const std::vector<std::string>& inputs, const std::string& rule, const ir::NamedAttributes& attributes) {
    const ir::OptimizerSpec* const spec = ir::find_optimizer(rule);
    WEFT_CHECK(spec, "'{}' is no update op", rule);
    for (const std::string& input : inputs) {
      const Parameter* const p = parameters.at(input);
      all.push_back(ir::states_of(*spec, {p->dtype(), p->shape()}, attributes).empty() ? nullptr : p);
    }
  };
  count(module.train->inputs, module.train->optimizer, module.train->attributes);
  for (const ir::TrainGroup& group : module.train->groups) count(group.inputs, group.optimizer, group.attributes);
  return all;
}

void Recorded::tell_counters_apart() {
  Dims& counters = module.train->counters;
  const Dims now = optimizer->counters_of(counted());
  counters.resize(now.size());
  std::map<std::pair<int64_t, int64_t>, int64_t> numbers;  // what was apart stays so
  for (size_t i = 0; i < now.size(); ++i) counters[i] = numbers.try_emplace({counters[i], now[i]}, std::ssize(numbers)).first->second;
  if (numbers.size() == 1) counters.clear();
}

void Recorded::check_freezing(const std::string& step) const {
  const auto fail = [&](const Parameter& p, const char* now, const char* then, const char* back) {
    throw Error("'{}' is {}, but {} when the step was recorded; record and compile again, or requires_grad_({})", p.name(), now, then, back)
        .of(fmt::format("step '{}'", step));
  };
  for (const Parameter& p : frozen)
    if (p.requires_grad()) fail(p, "not frozen", "it was", "false");
  if (!module.train) return;
  const std::vector<std::string> inputs = module.train->all_inputs();
  const std::set<std::string_view> trained(inputs.begin(), inputs.end());
  for (const detail::BoundParameter& bound : bindings.parameters)
    if (trained.contains(bound.input) && !bound.parameter.requires_grad()) fail(bound.parameter, "frozen", "it was trained", "true");
}

void Recorded::check_groups(const std::string& step) const {
  if (!optimizer || !module.train) return;
  const std::vector<std::string> inputs = module.train->all_inputs();
  const std::set<std::string_view> trained(inputs.begin(), inputs.end());
  for (size_t i = groups; i < optimizer->groups.size(); ++i) {
    const detail::OptimizerCore::Group& group = optimizer->groups[i];
    for (const detail::BoundParameter& bound : bindings.parameters) {
      if (!trained.contains(bound.input)) continue;
      if (std::none_of(group.parameters.begin(), group.parameters.end(), [&](const Parameter& p) { return p.is(bound.parameter); }))
        continue;
      throw Error("'{}' is in the group '{}' of {}, but was not when the step was recorded, so that it would be updated as before",
                  bound.parameter.name(), group.name, optimizer->op)
          .of(fmt::format("step '{}'", step))
          .hint("call add_group() before training_step(), or record and compile again");
    }
  }
}

void Recorded::check_untrained(const std::string& step) const {
  for (const detail::Untrained& other : untrained)
    if (!detail::is_asked_for(other.parameter))
      throw Error(
          "the loss uses '{}' at {}, which is none of the parameters that the step trains, nor of a module that was asked for its "
          "parameters(), so that it would be neither trained nor saved",
          other.parameter.name(), other.line)
          .of(fmt::format("step '{}'", step))
          .hint(
              "register it, or the layer that it belongs to, with add() where the model is made. To leave it as it is, say "
              "requires_grad_(false) of it");
}

Recorded training_step(const Graph& graph, const Tensor& loss, const std::vector<Parameter>& given, const optim::Optimizer& optimizer,
                       TrainingOptions options, std::source_location at) {
  const std::string line = detail::line_text(at);
  Recorded recorded(graph);
  std::vector<Parameter> parameters = given;
  for (const Parameter& parameter : given) detail::note_asked_for(parameter);
  recorded.frozen = take_frozen(parameters, line);
  recorded.optimizer = optimizer.core();
  ir::TrainSpec train;
  train.loss = name_loss(graph, loss, recorded.module.graph(), line);
  train.inputs = inputs_of(recorded, parameters, line);
  train.optimizer = optimizer.op();
  train.attributes = optimizer.core()->attributes();
  train.clip_value = optimizer.core()->is_on("clip_value");
  train.clip_norm = optimizer.core()->is_on("clip_norm");
  for (const Hyper& clip : {optimizer.clip_value, optimizer.clip_norm})
    if (clip != 0) recorded.clips.push_back(clip);
  train.groups = take_groups(recorded, train.inputs, *optimizer.core());
  recorded.groups = optimizer.core()->groups.size();
  train.keep = std::move(options.keep);
  recorded.module.train = std::move(train);
  for (detail::Untrained& other : detail::untrained_of(recorded.module.graph(), recorded.bindings.parameters,
                                                       recorded.module.graph().find_output(recorded.module.train->loss)->value, given))
    recorded.untrained.push_back(std::move(other));
  recorded.tell_counters_apart();
  for (detail::OffSwitch& off : optimizer.core()->off()) recorded.bindings.off.push_back(std::move(off));
  return recorded;
}

}  // namespace weft
