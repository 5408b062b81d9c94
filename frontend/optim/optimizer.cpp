#include "weft/frontend/optim/optimizer.h"

#include <algorithm>
#include <functional>

#include "weft/frontend/language/defaults.h"
#include "weft/frontend/language/scope.h"
#include "weft/frontend/optim/core.h"
#include "weft/ir/registry.h"
#include "weft/support/memory.h"

namespace weft {

using detail::OptimizerCore;

const Hyper* OptimizerCore::hyper(std::string_view name) const {
  for (const Hyper& h : hypers)
    if (h.name().size() == op.size() + 1 + name.size() && h.name().ends_with(name)) return &h;
  return nullptr;
}

Hyper* OptimizerCore::hyper_of_input(const std::string& port) {
  for (Hyper& h : hypers)
    if (h.name() == port) return &h;
  for (const Group& group : groups)
    for (Hyper& h : group.core->hypers)
      if (port == op + "." + group.name + h.name().substr(group.core->op.size())) return &h;
  return nullptr;
}

ir::NamedAttributes OptimizerCore::attributes() const {
  ir::NamedAttributes all;
  for (const ir::AttributeSpec& spec : ir::op_def(op).attributes)
    if (const Hyper* h = hyper(spec.name)) all.emplace_back(spec.name, h->value() != 0);
  all.insert(all.end(), flags.begin(), flags.end());
  return all;
}

std::vector<detail::OffSwitch> OptimizerCore::off() const {
  std::vector<OffSwitch> all;
  for (const ir::AttributeSpec& spec : ir::op_def(op).attributes)
    if (const Hyper* h = hyper(spec.name); h && h->value() == 0) all.push_back({*h, "the update was built without it"});
  for (const char* clip : {"clip_value", "clip_norm"})
    if (!is_on(clip)) all.push_back({*hyper(clip), "the gradients are not clipped"});
  for (const Group& group : groups)
    for (OffSwitch& off : group.core->off()) all.push_back(std::move(off));
  return all;
}

Array& OptimizerCore::state(const Parameter& parameter, const std::string& name, const std::string& state, DType dtype,
                            const Shape& shape) try {
  Array& array = states_of(parameter, name).arrays.try_emplace(state, dtype, shape, std::source_location()).first->second;
  if (array.dtype() != dtype || array.shape() != shape)
    throw Error("{}: the state '{}' of '{}' is {}{}, but the program needs {}{}", op, state, name, name_of(array.dtype()),
                to_string(array.shape()), name_of(dtype), to_string(shape));
  return array;
} catch (const OutOfMemory& e) {
  throw OutOfMemory("{}: the state '{}' of '{}': {}", op, state, name, e.what());
}

OptimizerCore::States* OptimizerCore::find_states(const Parameter& parameter) {
  const auto found = by_parameter_.find(parameter.storage().get());
  return found == by_parameter_.end() ? nullptr : found->second;
}

OptimizerCore::States& OptimizerCore::states_of(const Parameter& parameter, const std::string& name) {
  if (States* const known = find_states(parameter)) return *known;
  states.push_back({.parameter = parameter, .name = name});
  return *(by_parameter_[parameter.storage().get()] = &states.back());
}

Dims OptimizerCore::counters_of(const std::vector<const Parameter*>& parameters) {
  std::map<std::pair<int64_t, std::vector<bool>>, int64_t> numbers;
  Dims all;
  for (const Parameter* p : parameters) {
    if (!p) {
      all.push_back(0);
      continue;
    }
    const States* const known = find_states(*p);
    std::pair<int64_t, std::vector<bool>> history{known ? known->count : 0, {}};
    for (const auto& together : trained_together)
      history.second.push_back(std::binary_search(together.begin(), together.end(), p->storage().get(), std::less<>()));
    all.push_back(numbers.try_emplace(std::move(history), std::ssize(numbers)).first->second);
  }
  return all;
}

void OptimizerCore::note_together(std::vector<const ParameterStorage*> parameters) {
  std::sort(parameters.begin(), parameters.end(), std::less<>());
  if (std::find(trained_together.begin(), trained_together.end(), parameters) == trained_together.end())
    trained_together.push_back(std::move(parameters));
}

namespace optim {
namespace {

std::shared_ptr<OptimizerCore> core_with(std::string op) {
  auto core = std::make_shared<OptimizerCore>();
  core->stream = detail::next_stream("the optimizer " + op);
  core->op = std::move(op);
  return core;
}

}  // namespace

Optimizer::Optimizer(std::string op, std::source_location at)
    : core_(core_with(std::move(op))), at_(at), clip_value(hyper("clip_value", 0, {.low = 0})),
      clip_norm(hyper("clip_norm", 0, {.low = 0})) {}

void Optimizer::add_group(const std::string& name, std::vector<Parameter> parameters, const Optimizer& with) {
  if (name.empty() || name.find('.') != std::string::npos || core_->hyper(name) || name == op())
    fail(fmt::format("{}: '{}' is no name for a group: it must not be empty, contain '.' or be the optimizer's name or a number's", op(),
                     name));
  if (core_->is_group)
    fail(fmt::format("{}: this optimizer is the rule of another one's group, which would know nothing of a group '{}' of its own", op(),
                     name));
  if (with.core_ == core_ || !with.core_->groups.empty())
    fail(fmt::format("{}: the group '{}' needs an optimizer of its own, without groups", op(), name));
  if (with.clip_value != 0 || with.clip_norm != 0)
    fail(fmt::format("{}: the group '{}' cannot clip on its own; the optimizer clips the gradients of all groups", op(), name));
  for (const OptimizerCore::Group& known : core_->groups) {
    if (known.name == name) fail(fmt::format("{}: there is a group '{}' already", op(), name));
    for (const Parameter& p : known.parameters)
      if (std::any_of(parameters.begin(), parameters.end(), [&](const Parameter& q) { return q.is(p); }))
        fail(fmt::format("{}: '{}' is in the group '{}' already", op(), p.name(), known.name));
  }
  with.core_->is_group = true;
  core_->groups.push_back({name, std::move(parameters), with.core_});
}

const Array& Optimizer::state(std::string_view parameter, std::string_view name) const {
  std::vector<std::string> parameters, names;
  for (const OptimizerCore::States& known : core_->states) {
    parameters.push_back(known.name);
    if (known.name != parameter && known.parameter.name() != parameter) continue;
    if (const auto found = known.arrays.find(name); found != known.arrays.end()) return found->second;
    for (const auto& [other, array] : known.arrays) names.push_back(other);
    throw Error("{} keeps no state '{}' of '{}'", op(), name, parameter).hint(did_you_mean(name, names));
  }
  throw Error("{} keeps no state of a parameter '{}'", op(), parameter)
      .hint(did_you_mean(parameter, parameters))
      .hint("it begins when a training step is compiled");
}

Hyper Optimizer::learning_rate() const {
  for (const Hyper& h : core_->hypers)
    if (h.name() == op() + ".lr") return h;
  throw InternalError(fmt::format("{} has no learning rate", op()));
}

int64_t Optimizer::steps() const { return core_->steps; }

int64_t Optimizer::steps(const Parameter& parameter) const {
  const OptimizerCore::States* const known = core_->find_states(parameter);
  return known ? known->count : 0;
}

const std::string& Optimizer::op() const { return core_->op; }

Hyper Optimizer::hyper(const std::string& name, double value, Hyper::Range range) try {
  core_->hypers.push_back(Hyper(op() + "." + name, value, range));
  return core_->hypers.back();
} catch (Error& e) {
  e.at(detail::line_text(at_));
  throw;
}

void Optimizer::flag(const std::string& name, bool on) { core_->flags.emplace_back(name, on); }

void Optimizer::fail(const std::string& what) const { throw Error("{}", what).at(detail::line_text(at_)); }

}  // namespace optim
}  // namespace weft
