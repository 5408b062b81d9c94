#include "weft/frontend/language/parameter.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <utility>

#include "weft/frontend/language/cloning.h"
#include "weft/frontend/language/computation.h"
#include "weft/frontend/language/defaults.h"
#include "weft/runtime/float_mode.h"

namespace weft {

std::string detail::path_of(const std::weak_ptr<const Owner>& owner) {
  const auto held = owner.lock();
  if (!held) return "";
  return path_of(held->owner) + (held->name.empty() ? "" : held->name + ".");
}

void detail::Places::add(const void* module) {
  const std::lock_guard lock(mutex_);
  all_.push_back(reinterpret_cast<std::uintptr_t>(module));
}

void detail::Places::remove(const void* module) {
  const std::lock_guard lock(mutex_);
  all_.erase(std::find(all_.begin(), all_.end(), reinterpret_cast<std::uintptr_t>(module)));
}

bool detail::Places::empty() const {
  const std::lock_guard lock(mutex_);
  return all_.empty();
}

bool detail::Places::correspond(const void* from, const void* to) const {
  const std::lock_guard lock(mutex_);
  const auto way = reinterpret_cast<std::uintptr_t>(to) - reinterpret_cast<std::uintptr_t>(from);
  for (std::uintptr_t a : all_)
    for (std::uintptr_t b : all_)
      if (a != b && b - a == way) return true;
  return false;
}

void detail::Slot::set(std::shared_ptr<ParameterStorage> to) {
  if (to && to->buffer != buffer)
    throw Error("'{}{}' is a {} of its module, and cannot become the {} '{}'", path_of(module), name, buffer ? "buffer" : "parameter",
                to->buffer ? "buffer" : "parameter", Parameter(to).name());
  storage = std::move(to);
  if (!storage || !storage->owner.expired()) return;
  storage->owner = module;
  storage->name = name;
}

std::shared_ptr<detail::ParameterStorage> detail::twin_of(Cloning& cloning, const std::shared_ptr<ParameterStorage>& original) {
  return cloning.twin(original, [&] {
    auto twin = std::make_shared<ParameterStorage>(Parameter(original).name(), original->values);
    twin->buffer = original->buffer, twin->requires_grad = original->requires_grad;
    if (original->computed) twin->computed = original->computed->copy();
    return twin;
  });
}

namespace {

/// The model that it belongs to: what no other module owns. Null for a parameter without a module.
std::shared_ptr<const detail::Owner> outermost_owner(const Parameter& parameter) {
  auto owner = parameter.storage()->owner.lock();
  while (owner)
    if (auto around = owner->owner.lock()) owner = std::move(around);
    else break;
  return owner;
}

}  // namespace

void detail::note_asked_for(const Parameter& parameter) {
  if (!parameter.defined()) return;
  parameter.storage()->asked_for = true;
  if (const auto model = outermost_owner(parameter)) model->asked_for = true;
}

bool detail::is_asked_for(const Parameter& parameter) {
  if (parameter.storage()->asked_for) return true;
  const auto model = outermost_owner(parameter);
  return model && model->asked_for;
}

namespace {

std::atomic<uint64_t> changes = 1;

}  // namespace

uint64_t detail::freezing_changes() { return changes; }

bool Parameter::is_twin_of(const Parameter& other) const {
  const auto module = other.slot_ ? other.slot_->module.lock() : nullptr;
  return module && module->places.correspond(&other, this);
}

void Parameter::become_clone_of(const Parameter& other, detail::Cloning& cloning) {
  if (other.slot_) slot_ = cloning.find(other.slot_);  // none where its module is not cloned
  if (!slot_) storage_ = twin_of(cloning, other.storage());
}

Parameter::Parameter(const Parameter& other) {
  if (auto* cloning = detail::Cloning::current()) become_clone_of(other, *cloning);
  else if (is_twin_of(other)) slot_ = other.slot_;
  else storage_ = other.storage();
}

Parameter& Parameter::operator=(const Parameter& other) {
  if (detail::Cloning::current()) return *this = Parameter(other);
  if (is_twin_of(other)) slot_ = other.slot_, storage_ = nullptr;
  else if (slot_) slot_->set(other.storage());
  else storage_ = other.storage();
  return *this;
}

Parameter& Parameter::operator=(Parameter&& other) {
  if (is_twin_of(other)) slot_ = other.slot_, storage_ = nullptr;
  else if (slot_) slot_->set(other.storage());
  else {
    storage_ = std::move(other.storage_);
    slot_ = std::move(other.slot_);
  }
  return *this;
}

Parameter& Parameter::requires_grad_(bool on) {
  if (on && is_buffer()) throw Error("'{}' is a buffer of its module, which no optimizer trains", name());
  if (on && !is_floating(dtype())) throw Error("only floating parameters have gradients, but '{}' is {}", name(), name_of(dtype()));
  detail::note_asked_for(*this);
  if (storage()->requires_grad != on) {
    storage()->requires_grad = on;
    ++changes;
  }
  return *this;
}

Parameter::Parameter(std::string name, Array values)
    : storage_(std::make_shared<detail::ParameterStorage>(std::move(name), std::move(values))) {
  if (storage_->name.empty()) throw Error("a parameter needs a name");
}

Parameter::Parameter(std::string name, std::initializer_list<double> values)
    : Parameter(std::move(name), Array(default_dtype(), Shape{static_cast<int64_t>(values.size())})) {
  const FloatMode mode;
  for (int64_t i = 0; double value : values) array().set(i++, value);
}

Parameter::Parameter(std::string name, double value) : Parameter(std::move(name), Array(default_dtype(), Shape{})) {
  const FloatMode mode;
  array().set(0, value);
}

Parameter::Parameter(std::string name, Shape shape) : Parameter(std::move(name), Array(default_dtype(), std::move(shape))) {}

std::string Parameter::name() const { return defined() ? detail::path_of(storage()->owner) + storage()->name : "(no parameter)"; }

const Array& Parameter::array() const {
  if (!defined()) throw Error("this Parameter handle names no parameter (a layer made with .bias = false has no bias)");
  return storage()->values;
}

Array& Parameter::array() { return const_cast<Array&>(std::as_const(*this).array()); }

void Parameter::set(DType dtype, const std::byte* data, size_t count) {
  Array& values = array();
  if (dtype != values.dtype() || static_cast<int64_t>(count) != values.shape().numel())
    throw Error("parameter '{}' is {}{} and takes {} {} values; given {} {} values", name(), name_of(values.dtype()),
                to_string(values.shape()), values.shape().numel(), name_of(values.dtype()), count, name_of(dtype));
  std::memmove(values.data(), data, values.bytes());  // it may be a part of the same memory
}

}  // namespace weft
