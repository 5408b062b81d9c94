#pragma once
// A parameter: named numbers that outlive every graph. Most are trained; a module's buffers are state that it keeps itself.

#include <initializer_list>
#include <memory>
#include <ranges>
#include <string>
#include <vector>

#include "weft/runtime/array.h"

namespace weft {

namespace detail {

/// A module as its parameters and parts see it: enough to build the dotted name "encoder.fc1.weight".
struct Owner {
  std::string name;
  std::weak_ptr<const Owner> owner;
};

/// The dotted path of `owner` and what owns it, ending in "." unless empty.
std::string path_of(const std::weak_ptr<const Owner>& owner);

struct ParameterStorage {
  std::string name;
  Array values;
  std::weak_ptr<const Owner> owner = {};
  bool buffer = false;  // see nn::Module::add_buffer
};

}  // namespace detail

/// A handle: copies name the same numbers. Belongs to no graph; every graph that uses it reads it, a training step or
/// Graph::update writes it in place. Used in an expression it is a tensor.
class Parameter {
 public:
  /// Names no parameter until assigned to.
  Parameter() = default;
  Parameter(std::string name, Array values);
  /// Rank 1, one element per value, of default_dtype(): Parameter w("w", {1.0f}) has shape [1].
  Parameter(std::string name, std::initializer_list<double> values);
  /// A scalar, shape [], of default_dtype().
  Parameter(std::string name, double value);
  /// Throws weft::Error unless there are shape.numel() values.
  template <class T>
  Parameter(std::string name, Shape shape, const std::vector<T>& values)
      : Parameter(std::move(name), Array::of(std::move(shape), values)) {}

  bool defined() const { return storage_ != nullptr; }
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

  /// The storage itself; its address stays while a handle lives.
  Array& array();
  const Array& array() const;

  /// Is it a module's state, which no optimizer trains (nn::Module::add_buffer)?
  bool is_buffer() const { return storage_ && storage_->buffer; }
  bool is(const Parameter& other) const { return storage_ == other.storage_; }
  const std::shared_ptr<detail::ParameterStorage>& storage() const { return storage_; }

 private:
  void set(DType dtype, const std::byte* data, size_t count);

  std::shared_ptr<detail::ParameterStorage> storage_;
};

}  // namespace weft
