#include "weft/frontend/nn/module.h"

#include <algorithm>

#include "weft/frontend/recorder.h"
#include "weft/frontend/scope.h"

namespace weft::nn {

struct detail::ModuleState : weft::detail::Owner {
  std::vector<std::pair<std::string, Parameter>> parameters;
  std::vector<std::pair<std::string, std::shared_ptr<ModuleState>>> parts;
  bool training = true;
};

namespace {

using detail::ModuleState;
using Named = std::vector<std::pair<std::string, Parameter>>;

void require_free_name(const ModuleState& state, const std::string& name) {
  if (name.empty() || name.find('.') != std::string::npos)
    throw Error("nn::Module::add: '{}' is no name for a part: it must not be empty nor contain '.'", name);
  const auto same = [&](const auto& entry) { return entry.first == name; };
  if (std::any_of(state.parameters.begin(), state.parameters.end(), same) ||
      std::any_of(state.parts.begin(), state.parts.end(), same))
    throw Error("nn::Module::add: the module has a part named '{}' already", name);
}

void collect(const ModuleState& state, const std::string& path, Named& into) {
  for (const auto& [name, parameter] : state.parameters) {
    const auto same = [&p = parameter](const auto& known) { return known.second.is(p); };
    if (std::none_of(into.begin(), into.end(), same)) into.emplace_back(path + name, parameter);
  }
  for (const auto& [name, part] : state.parts) collect(*part, path + name + ".", into);
}

void set_training(ModuleState& state, bool on) {
  state.training = on;
  for (const auto& [name, part] : state.parts) set_training(*part, on);
}

}  // namespace

Module::Module() : state_(std::make_shared<ModuleState>()) {}

Tensor Module::forward(Tensor) {
  throw Error("this module defines no forward(Tensor); call the functions that it does define");
}

Tensor Module::operator()(Arg x) {
  using weft::detail::Scope;
  const std::source_location call = Scope::call_site(x.where());
  Tensor operand;
  if (x.tensor()) {
    operand = *x.tensor();
  } else {
    weft::detail::Recorder r("module call", {&x});
    operand = r.tensor(r.value(x));
  }
  const Scope scope(name_, is_library() ? Scope::Code::library : Scope::Code::user, call, operand.recording);
  return forward(std::move(operand));
}

std::vector<Parameter> Module::parameters() const {
  std::vector<Parameter> all;
  for (auto& [name, parameter] : named_parameters()) all.push_back(parameter);
  return all;
}

Named Module::named_parameters() const {
  Named all;
  collect(*state_, "", all);
  return all;
}

void Module::train(bool on) { set_training(*state_, on); }
bool Module::training() const { return state_->training; }

Parameter Module::add(const std::string& name, Parameter parameter) {
  require_free_name(*state_, name);
  if (parameter.storage()->owner.expired()) {
    parameter.storage()->owner = state_;
    parameter.storage()->name = name;
  }
  state_->parameters.emplace_back(name, parameter);
  return parameter;
}

void Module::register_part(const std::string& name, Module& part) {
  require_free_name(*state_, name);
  // The first module that a part is added to gives its parameters their names; others share them under those.
  if (part.state_->owner.expired()) {
    part.state_->owner = state_;
    part.state_->name = name;
  }
  state_->parts.emplace_back(name, part.state_);
  part.name_ = name;
}

}  // namespace weft::nn
