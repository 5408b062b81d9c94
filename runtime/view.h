#pragma once
// Memory that somebody else owns, as a step reads it: no copy is made.

#include <concepts>
#include <ranges>
#include <span>
#include <string_view>

#include "weft/runtime/array.h"

namespace weft {

/// Contiguous elements of one type. Only valid as long as the memory that it was made from.
class View {
 public:
  View() = default;
  /// A vector, span, std::array, ...
  template <std::ranges::contiguous_range Range>
    requires requires { dtype_of_t<std::ranges::range_value_t<Range>>::value; }
  View(const Range& range) : View(std::ranges::data(range), std::ranges::size(range)) {}
  /// An array brings its shape along, which must be the input's.
  View(const Array& array) : data_(array.data()), count_(array.shape().numel()), dtype_(array.dtype()), shape_(&array.shape()) {}
  template <class T>
  View(const T* data, size_t count) : View(static_cast<const void*>(data), count, dtype_of<T>) {}
  View(const void* data, size_t count, DType dtype)
      : data_(static_cast<const std::byte*>(data)), count_(static_cast<int64_t>(count)), dtype_(dtype) {}

  const std::byte* data() const { return data_; }
  int64_t count() const { return count_; }
  DType dtype() const { return dtype_; }
  const Shape* shape() const { return shape_; }  // null when unknown
  /// The elements as `T`; throws weft::Error unless T is exactly the element type.
  template <class T>
  std::span<const T> values() const {
    if (dtype_of<T> != dtype_) throw Error(ErrorKind::shape, "a view of {} elements is read as {}", name_of(dtype_), name_of(dtype_of<T>));
    return {reinterpret_cast<const T*>(data_), static_cast<size_t>(count_)};
  }

 private:
  const std::byte* data_ = nullptr;
  int64_t count_ = 0;
  DType dtype_ = f32;
  const Shape* shape_ = nullptr;
};

/// What is given for one input: {"x", images}.
struct Feed {
  std::string_view name;
  View values;
};

}  // namespace weft
