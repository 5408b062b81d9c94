#include "weft/frontend/nn/module.h"

#include <algorithm>
#include <set>

#include "weft/frontend/language/recorder.h"
#include "weft/frontend/language/scope.h"
#include "weft/runtime/float_mode.h"

namespace weft::nn {

struct detail::ModuleState : weft::detail::Owner {
  std::vector<std::shared_ptr<weft::detail::Slot>> parameters, buffers;
  std::vector<std::pair<std::string, std::shared_ptr<ModuleState>>> parts;
  bool training = true;
};

namespace {

using detail::ModuleState;
using weft::detail::Scope;
using Named = std::vector<std::pair<std::string, Parameter>>;

void require_free_name(const ModuleState& state, const std::string& name) {
  if (name.empty() || name.find('.') != std::string::npos)
    throw Error("nn::Module::add: '{}' is no name for a part: it must not be empty nor contain '.'", name);
  const auto same = [&](const auto& slot) { return slot->name == name; };
  if (std::any_of(state.parameters.begin(), state.parameters.end(), same) ||
      std::any_of(state.buffers.begin(), state.buffers.end(), same) ||
      std::any_of(state.parts.begin(), state.parts.end(), [&](const auto& part) { return part.first == name; }))
    throw Error("nn::Module::add: the module has a part named '{}' already", name);
}

enum Kinds { trained = 1, kept = 2 };

/// What the module and its parts have now, under all names.
void collect(const ModuleState& state, const std::string& path, int kinds, Named& into) {
  const auto take = [&](const auto& slots) {
    for (const auto& slot : slots)
      if (slot->storage) into.emplace_back(path + slot->name, Parameter(slot->storage));
  };
  if (kinds & trained) take(state.parameters);
  if (kinds & kept) take(state.buffers);
  for (const auto& [name, part] : state.parts) collect(*part, path + name + ".", kinds, into);
}

Named collected(const ModuleState& state, int kinds) {
  Named all;
  collect(state, "", kinds, all);
  return all;
}

/// Each once, under its first name.
Named collected_once(const ModuleState& state, int kinds) {
  Named all = collected(state, kinds);
  std::set<const weft::detail::ParameterStorage*> known;
  std::erase_if(all, [&](const auto& named) { return !known.insert(named.second.storage().get()).second; });
  return all;
}

/// The module's member of that name.
Parameter slot_for(const std::shared_ptr<ModuleState>& state, const std::string& name, bool buffer, const Parameter& parameter) {
  require_free_name(*state, name);
  if (!parameter.defined()) throw Error("nn::Module::add: there is no parameter to add as '{}'", name);
  auto slot = std::make_shared<weft::detail::Slot>(weft::detail::Slot{name, buffer, state});
  slot->set(parameter.storage());
  (buffer ? state->buffers : state->parameters).push_back(slot);
  return Parameter(std::move(slot));
}

void set_training(ModuleState& state, bool on) {
  state.training = on;
  for (const auto& [name, part] : state.parts) set_training(*part, on);
}

}  // namespace

Module::Module() : state_(std::make_shared<ModuleState>()) { state_->places.add(this); }
Module::Module(const Module& other) : state_(other.state_), name_(other.name_) { state_->places.add(this); }
Module::~Module() { state_->places.remove(this); }

Module& Module::operator=(const Module& other) {
  if (state_ == other.state_) return *this;
  // Where the modules that they are parts of are assigned, so may they be.
  const auto owner = state_->owner.lock(), others = other.state_->owner.lock();
  if (owner && !(others && others->places.correspond(&other, this)))
    throw Error(
        "nn::Module: '{0}{1}' is a part, whose parameters its owner has, and cannot become another module; tie its parameters "
        "({1}.weight = ...), or add() the other module instead",
        weft::detail::path_of(owner), state_->name);
  state_->places.remove(this);
  state_ = other.state_;
  name_ = other.name_;
  state_->places.add(this);
  return *this;
}

Tensor Module::forward(Tensor) { throw Error("this module defines no forward(Tensor)").hint("call the functions that it does define"); }

struct Module::Entered::State {
  const Arg* operand;
  Tensor value;  // of the operand
  FloatMode mode;
  Scope scope;
};

namespace {

Tensor tensor_of(const Arg& x) {
  if (x.tensor()) return *x.tensor();
  weft::detail::Recorder r("module call", {&x});
  return r.tensor(r.value(x));
}

}  // namespace

Module::Entered::Entered(const Module& module, const Arg& operand) {
  const std::source_location call = Scope::call_site(operand.where());
  const Tensor x = tensor_of(operand);
  const Scope::Code code = module.is_library() ? Scope::Code::library : Scope::Code::user;
  state_.reset(new State{&operand, x, {}, {module.name_, code, call, x.recording}});
}

Module::Entered::~Entered() = default;

Tensor Module::Entered::tensor(const Arg& x) const { return &x == state_->operand ? state_->value : tensor_of(x); }

Tensor Module::operator()(Arg x) {
  const Entered entered(*this, x);
  return forward(entered.tensor(x));
}

std::vector<Parameter> Module::parameters() const {
  std::vector<Parameter> all;
  for (auto& [name, parameter] : named_parameters()) all.push_back(parameter);
  return all;
}

Named Module::named_parameters() const { return collected_once(*state_, trained); }
Named Module::named_buffers() const { return collected_once(*state_, kept); }
Named Module::state_dict() const { return collected(*state_, trained | kept); }

void Module::requires_grad_(bool on) const {
  for (Parameter& parameter : parameters()) parameter.requires_grad_(on);
}

void Module::train(bool on) { set_training(*state_, on); }
bool Module::training() const {
  const auto recording = weft::detail::Recording::innermost();
  return recording && recording->training ? *recording->training : state_->training;
}

Parameter Module::add(const std::string& name, Parameter parameter) { return slot_for(state_, name, false, parameter); }

Parameter Module::add_buffer(const std::string& name, Array values) {
  require_free_name(*state_, name);
  const Parameter buffer(name, std::move(values));
  buffer.storage()->buffer = true;
  return slot_for(state_, name, true, buffer);
}

Tensor Module::current(const Parameter& buffer, const Tensor& graph_of) const {
  return {graph_of.recording, graph_of.recording->latest(buffer, Scope::locate(Scope::innermost_call()))};
}

void Module::update(const Parameter& buffer, const Tensor& value) const {
  const ir::Location at = Scope::locate(Scope::innermost_call());
  const ir::Type type{buffer.dtype(), buffer.shape()};
  if (value.value().type() != type)
    throw Error("the new value of the buffer '{}' is {}, but the buffer is {}", buffer.name(), to_string(value.value().type()),
                to_string(type))
        .of("update")
        .at(to_string(at));
  value.recording->update(buffer, value.value(), at);
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
