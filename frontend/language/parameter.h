#pragma once
// A parameter: named numbers that outlive every graph. Most are trained; a module's buffers are state that it keeps itself.

#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <ranges>
#include <string>
#include <vector>

#include "weft/runtime/array.h"

namespace weft {

namespace detail {

/// Where in memory a module and its copies are now.
class Places {
 public:
  void add(const void* module);
  void remove(const void* module);
  bool empty() const;
  /// Whether `to` lies in one of them where `from` lies in another: then it is the same member of a copy.
  bool correspond(const void* from, const void* to) const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::uintptr_t> all_;
};

/// A module as its parameters and parts see it: enough to build the dotted name "encoder.fc1.weight".
struct Owner {
  std::string name;
  std::weak_ptr<const Owner> owner;
  Places places = {};
  mutable std::atomic<bool> asked_for = false;  // somebody was given parameters of it, or of a part
};

/// The dotted path of `owner` and what owns it, ending in "." unless empty.
std::string path_of(const std::weak_ptr<const Owner>& owner);

class Computation;

struct ParameterStorage {
  std::string name;
  Array values;
  std::weak_ptr<const Owner> owner = {};
  bool buffer = false;  // see nn::Module::add_buffer
  bool requires_grad = true;
  std::shared_ptr<const Computation> computed = {};  // what graphs read in place of the values: see frontend/language/computation.h
  std::atomic<bool> asked_for = false;               // somebody was given it to train or to keep, or has frozen it
};

/// What a module has under a name of its own. The module's member and the members of its copies share it.
struct Slot {
  std::string name;
  bool buffer;
  std::weak_ptr<const Owner> module;
  std::shared_ptr<ParameterStorage> storage = {};

  /// From here on the name stands for these numbers, which get it as their own if they belong to no module yet. Throws weft::Error
  /// when a parameter is to become a buffer or the other way.
  void set(std::shared_ptr<ParameterStorage> to);
};

class Cloning;
/// What stands for it in a clone: numbers of its own, which belong to no module yet.
std::shared_ptr<ParameterStorage> twin_of(Cloning& cloning, const std::shared_ptr<ParameterStorage>& original);

/// How often a parameter of the process has been frozen or unfrozen so far.
uint64_t freezing_changes();

}  // namespace detail

class Parameter;

namespace detail {

/// Somebody asked for the parameter, to train it or to keep it: a module's parameters() or state_dict(), training_step(), gradients(), ...
void note_asked_for(const Parameter& parameter);
/// Whether anybody has, or has for another parameter of the same model. What nobody has asked for was forgotten rather than left out.
bool is_asked_for(const Parameter& parameter);

}  // namespace detail

/// A handle: copies name the same numbers. Belongs to no graph; every graph that uses it reads it, a training step or
/// Graph::update writes it in place. Used in an expression it is a tensor.
///
/// Assigning lets a handle name other numbers. Assigning to a module's member (or a copy's) ties weights, as in torch: from then
/// on the module and all its copies have the other parameter under that name, `out.weight = emb.weight`. What was recorded before
/// keeps what it has.
///
/// In a clone of a module (nn::clone) a copy of a handle names numbers of the clone's own.
class Parameter {
 public:
  /// Names no parameter until assigned to.
  Parameter() = default;
  Parameter(const Parameter& other);
  Parameter(Parameter&& other) noexcept = default;
  Parameter& operator=(const Parameter& other);
  Parameter& operator=(Parameter&& other);
  /// Exchanges what the handles name; modules' members stay members.
  friend void swap(Parameter& a, Parameter& b) {
    const Parameter kept(a.storage());
    a = b, b = kept;
  }
  Parameter(std::string name, Array values);
  /// Rank 1, one element per value, of default_dtype(): Parameter w("w", {1.0f}) has shape [1].
  Parameter(std::string name, std::initializer_list<double> values);
  /// A scalar, shape [], of default_dtype().
  Parameter(std::string name, double value);
  /// Zeros of default_dtype(): Parameter pos("pos", Shape{32, 64}).
  Parameter(std::string name, Shape shape);
  /// Throws weft::Error unless there are shape.numel() values.
  template <class T>
  Parameter(std::string name, Shape shape, const std::vector<T>& values)
      : Parameter(std::move(name), Array::of(std::move(shape), values)) {}

  bool defined() const { return storage() != nullptr; }
  /// The dotted name from the first module that it was added to: "fc1.weight".
  std::string name() const;
  DType dtype() const { return array().dtype(); }
  const Shape& shape() const { return array().shape(); }

  /// The elements, row-major. Throws weft::Error unless T is exactly the element type.
  template <class T>
  std::vector<T> values() const {
    const auto all = array().values<T>();
    return {all.begin(), all.end()};
  }
  /// Writes all elements: a vector, span or array of exactly the element type and count, else weft::Error.
  template <std::ranges::contiguous_range Range>
  void set_values(const Range& values) {
    using T = std::ranges::range_value_t<Range>;
    set(dtype_of<T>, reinterpret_cast<const std::byte*>(std::ranges::data(values)), std::ranges::size(values));
  }

  /// The storage itself. Once a program that uses the parameter is compiled, its memory stays where it is while a handle or the
  /// program lives, and assigning another array to it copies the elements: see Array::pin.
  Array& array();
  const Array& array() const;

  /// Whether training steps recorded from here on train it, as in torch. Frozen (false), it gets no gradient from what is recorded
  /// meanwhile and has no part in an optimizer: no state, no decay, no share in the clipped norm; programs that train it throw weft::Error
  /// until recorded again. Throws weft::Error for a buffer, and for numbers that are not floating, unless `on` is false.
  Parameter& requires_grad_(bool on = true);
  bool requires_grad() const { return !is_frozen() && !is_buffer(); }
  /// Whether requires_grad_(false) was said of it.
  bool is_frozen() const { return storage() && !storage()->requires_grad; }

  /// Is it a module's state, which no optimizer trains (nn::Module::add_buffer)?
  bool is_buffer() const { return storage() && storage()->buffer; }
  bool is(const Parameter& other) const { return storage() == other.storage(); }
  const std::shared_ptr<detail::ParameterStorage>& storage() const { return slot_ ? slot_->storage : storage_; }

  /// Of modules: a handle that is no member.
  explicit Parameter(std::shared_ptr<detail::ParameterStorage> storage) : storage_(std::move(storage)) {}
  /// Of modules: their member.
  explicit Parameter(std::shared_ptr<detail::Slot> slot) : slot_(std::move(slot)) {}

 private:
  void set(DType dtype, const std::byte* data, size_t count);
  /// Whether this handle is in a copy of a module what `other` is in the module.
  bool is_twin_of(const Parameter& other) const;
  void become_clone_of(const Parameter& other, detail::Cloning& cloning);

  std::shared_ptr<detail::ParameterStorage> storage_;  // null in a module's member
  std::shared_ptr<detail::Slot> slot_;                 // null but in a module's member
};

}  // namespace weft
