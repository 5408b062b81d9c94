#include "weft/frontend/nn/module.h"

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "weft/frontend/language/cloning.h"
#include "weft/frontend/language/recorder.h"
#include "weft/frontend/language/scope.h"
#include "weft/runtime/float_mode.h"

namespace weft::nn {

struct detail::ModuleState : weft::detail::Owner {
  std::vector<std::shared_ptr<weft::detail::Slot>> parameters, buffers;
  std::vector<std::shared_ptr<weft::detail::Slot>> computed;  // of others: none that is saved or trained itself
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
      std::any_of(state.buffers.begin(), state.buffers.end(), same) || std::any_of(state.computed.begin(), state.computed.end(), same) ||
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

/// Somebody gets them.
Named asked_for(Named all) {
  for (const auto& [name, parameter] : all) weft::detail::note_asked_for(parameter);
  return all;
}

/// Each once, under its first name.
Named collected_once(const ModuleState& state, int kinds) {
  Named all = collected(state, kinds);
  if (kinds & trained) all = asked_for(std::move(all));
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

using weft::detail::Cloning;
using Owner = weft::detail::Owner;

/// What stands for the owner in the clone; null where it is not cloned.
std::shared_ptr<ModuleState> cloned_owner(const Cloning& cloning, const std::weak_ptr<const Owner>& owner) {
  return cloning.find(std::const_pointer_cast<ModuleState>(std::static_pointer_cast<const ModuleState>(owner.lock())));
}

using Slots = std::vector<std::shared_ptr<weft::detail::Slot>>;

Slots clone_slots(Cloning& cloning, const Slots& from, const std::shared_ptr<ModuleState>& module) {
  Slots slots;
  for (const auto& slot : from)
    slots.push_back(cloning.twin(slot, [&] {
      return std::make_shared<weft::detail::Slot>(weft::detail::Slot{slot->name, slot->buffer, module, twin_of(cloning, slot->storage)});
    }));
  return slots;
}

/// The module and its parts, with numbers of their own, which belong to nobody yet. `made` gets the pairs of what it makes.
using Pairs = std::vector<std::pair<std::shared_ptr<ModuleState>, std::shared_ptr<ModuleState>>>;
std::shared_ptr<ModuleState> clone_tree(Cloning& cloning, const std::shared_ptr<ModuleState>& original, Pairs& made) {
  if (auto known = cloning.find(original)) return known;
  const auto twin = std::make_shared<ModuleState>();
  cloning.add(original, twin);
  made.emplace_back(original, twin);
  twin->training = original->training;
  twin->parameters = clone_slots(cloning, original->parameters, twin);
  twin->buffers = clone_slots(cloning, original->buffers, twin);
  twin->computed = clone_slots(cloning, original->computed, twin);
  for (const auto& [name, part] : original->parts) twin->parts.emplace_back(name, clone_tree(cloning, part, made));
  return twin;
}

/// Parts and numbers belong to whose twin they belonged to in the original, if that is in the clone; else to the first that has them.
void clone_owners(const Cloning& cloning, const Pairs& made) {
  for (const auto& [original, twin] : made) {
    if (const auto owner = cloned_owner(cloning, original->owner)) twin->owner = owner, twin->name = original->name;
    for (const Slots* slots : {&original->parameters, &original->buffers, &original->computed})
      for (const auto& slot : *slots) {
        if (!slot->storage) continue;
        const auto numbers = cloning.find(slot->storage);
        if (const auto owner = cloned_owner(cloning, slot->storage->owner)) numbers->owner = owner, numbers->name = slot->storage->name;
      }
  }
  for (const auto& [original, twin] : made) {
    for (const auto& [name, part] : twin->parts)
      if (part->owner.expired()) part->owner = twin, part->name = name;
    for (const Slots* slots : {&twin->parameters, &twin->buffers, &twin->computed})
      for (const auto& slot : *slots) slot->set(slot->storage);
  }
}

/// What a copy of a module names: the same, or in a clone what stands for it there.
std::shared_ptr<ModuleState> named_by_copy(const std::shared_ptr<ModuleState>& original) {
  Cloning* const cloning = Cloning::current();
  if (!cloning) return original;
  Pairs made;
  auto twin = clone_tree(*cloning, original, made);
  clone_owners(*cloning, made);
  return twin;
}

std::string demangled(const std::type_info& type) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> name(abi::__cxa_demangle(type.name(), nullptr, nullptr, &status), std::free);
  return status == 0 ? name.get() : type.name();
}

void set_training(ModuleState& state, bool on) {
  state.training = on;
  for (const auto& [name, part] : state.parts) set_training(*part, on);
}

}  // namespace

Module::Module() : state_(std::make_shared<ModuleState>()) { state_->places.add(this); }
Module::Module(const Module& other) : state_(named_by_copy(other.state_)), name_(other.name_), call_(other.call_) {
  state_->places.add(this);
}
Module::~Module() { state_->places.remove(this); }

Module& Module::operator=(const Module& other) {
  const auto state = named_by_copy(other.state_);
  if (state_ == state) return *this;
  // Where the modules that they are parts of are assigned, so may they be.
  const auto owner = state_->owner.lock(), others = state->owner.lock();
  if (owner && !(others && others->places.correspond(&other, this)))
    throw Error(
        "nn::Module: '{0}{1}' is a part, whose parameters its owner has, and cannot become another module; tie its parameters "
        "({1}.weight = ...), or add() the other module instead",
        weft::detail::path_of(owner), state_->name);
  state_->places.remove(this);
  state_ = state;
  name_ = other.name_;
  state_->places.add(this);
  return *this;
}

Tensor Module::forward(Tensor) {
  throw Error("this module defines no forward(Tensor)")
      .of(weft::detail::Scope::path())
      .at(weft::detail::line_text(Scope::innermost_call()))
      .hint(
          "write `Tensor forward(Tensor x) override`; a module whose forward takes several operands is called with all of them, "
          "block(x, mask)");
}

detail::Called Module::call(const std::vector<Arg>& operands) {
  if (call_)
    if (auto y = call_(*this, operands)) return detail::Called(std::move(*y));
  Error error("this module defines no forward of {} tensors that gives a tensor", operands.size());
  if (!call_) error = Error("a module that no other holds does not know its forward of {} tensors", operands.size());
  throw error.of(name_)
      .at(weft::detail::line_text(operands[0].where()))
      .hint(call_ ? "write `Tensor forward(Tensor x, Tensor mask)`; what takes or gives something else is called by its type, "
                    "layers[0].as<Block>().forward(...)"
                  : "call net.forward(x, mask), or give it `Tensor operator()(Arg x, Arg mask)`");
}

void Module::refuse_type(const std::type_info& type, std::source_location at) const {
  throw Error("the module '{}' is a {}, and no {}", name_, demangled(typeid(*this)), demangled(type))
      .of("as")
      .at(weft::detail::line_text(at));
}

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
Named Module::state_dict() const { return asked_for(collected(*state_, trained | kept)); }

void Module::requires_grad_(bool on) const {
  for (Parameter& parameter : parameters()) parameter.requires_grad_(on);
}

void Module::train(bool on) { set_training(*state_, on); }
bool Module::training() const {
  const auto recording = weft::detail::Recording::innermost();
  return recording && recording->training ? *recording->training : state_->training;
}

Parameter Module::add(const std::string& name, Array values) { return add(name, Parameter(name, std::move(values))); }
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

namespace {

auto find_slot(std::vector<std::shared_ptr<weft::detail::Slot>>& slots, const std::string& name) {
  return std::find_if(slots.begin(), slots.end(), [&](const auto& slot) { return slot->name == name; });
}

}  // namespace

Parameter detail::Parametrizing::find(const Module& module, const std::string& name) {
  ModuleState& state = *module.state_;
  if (const auto found = find_slot(state.parameters, name); found != state.parameters.end() && (*found)->storage)
    return Parameter((*found)->storage);
  if (find_slot(state.computed, name) != state.computed.end()) throw Error("the parameter '{}' is parametrized already", name);
  std::vector<std::string> names;
  for (const auto& slot : state.parameters) names.push_back(slot->name);
  throw Error("the module has no parameter '{}' of its own", name).hint(did_you_mean(name, names));
}

void detail::Parametrizing::replace(Module& module, const std::string& name, Module& list,
                                    std::shared_ptr<const weft::detail::Computation> computation) {
  ModuleState& state = *module.state_;
  const auto slot = find_slot(state.parameters, name);
  (*slot)->storage->computed = std::move(computation);
  state.computed.push_back(*slot);
  state.parameters.erase(slot);
  const std::string folder = "parametrizations";
  auto at = std::find_if(state.parts.begin(), state.parts.end(), [&](const auto& part) { return part.first == folder; });
  if (at == state.parts.end()) {
    const auto made = std::make_shared<ModuleState>();
    made->owner = module.state_, made->name = folder;
    made->training = state.training;
    at = state.parts.emplace(state.parts.end(), folder, made);
  }
  list.state_->owner = at->second;
  list.state_->name = name;
  at->second->parts.emplace_back(name, list.state_);
}

detail::CloneOf::CloneOf(const Module& original, const std::type_info& type, std::source_location at)
    : original_(original), at_(at), cloning_(std::make_unique<Cloning>()) {
  if (typeid(original) != type)
    throw Error("the module is of a type that is derived from the one that is cloned, so that its own part would be lost")
        .of("nn::clone")
        .at(weft::detail::line_text(at))
        .hint("clone it by its own type");
}

detail::CloneOf::~CloneOf() = default;

void detail::CloneOf::finish(Module& copy) const {
  if (cloning_->find(original_.state_) != copy.state_)
    throw Error("the module's copy constructor does not copy its nn::Module").of("nn::clone").at(weft::detail::line_text(at_));
  require_whole(*original_.state_, "");
  copy.name_.clear();
}

/// A part that no copied module names is one that the copy shares.
void detail::CloneOf::require_whole(const ModuleState& original, const std::string& path) const {
  for (const auto& [name, part] : original.parts) {
    if (cloning_->find(part)->places.empty() && !part->places.empty())
      throw Error("the module holds '{}{}' by a pointer, so that the clone would share it", path, name)
          .of("nn::clone")
          .at(weft::detail::line_text(at_))
          .hint("hold it by value, or in nn::ModuleList or nn::ModuleDict");
    require_whole(*part, path + name + ".");
  }
}

}  // namespace weft::nn
