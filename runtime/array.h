#pragma once
// A dense row-major array in host memory: what parameters, batches and results are made of.

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "weft/support/dtype.h"
#include "weft/support/error.h"
#include "weft/support/shape.h"

namespace weft {

/// Bytes of alignment of every buffer that weft allocates: a cache line, and the widest vector.
inline constexpr size_t buffer_alignment = 64;

/// Owns its memory (aligned to `buffer_alignment`, zeroed); copying copies the elements.
class Array {
 public:
  Array() : Array(f32, Shape{0}) {}
  Array(DType dtype, Shape shape);
  Array(const Array& other);
  Array& operator=(const Array& other);
  Array(Array&&) noexcept = default;
  Array& operator=(Array&&) noexcept = default;

  /// Copies `values`, which must have exactly shape.numel() elements.
  template <class T> static Array of(Shape shape, std::span<const T> values);
  template <class T> static Array of(Shape shape, const std::vector<T>& values) {
    return of(std::move(shape), std::span<const T>(values));
  }

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  size_t bytes() const { return static_cast<size_t>(shape_.numel()) * size_of(dtype_); }
  std::byte* data() { return data_.get(); }
  const std::byte* data() const { return data_.get(); }

  /// The elements as `T`; throws weft::Error unless T is exactly the element type.
  template <class T> std::span<T> values() {
    require(dtype_of<T>);
    return {reinterpret_cast<T*>(data()), static_cast<size_t>(shape_.numel())};
  }
  template <class T> std::span<const T> values() const {
    require(dtype_of<T>);
    return {reinterpret_cast<const T*>(data()), static_cast<size_t>(shape_.numel())};
  }

  /// One element converted to / from double (element number in row-major order).
  double at(int64_t element) const;
  void set(int64_t element, double value);

 private:
  struct Free {
    void operator()(std::byte* p) const;
  };
  void require(DType wanted) const;

  DType dtype_;
  Shape shape_;
  std::unique_ptr<std::byte[], Free> data_;
};

/// Element conversions through memory of any dtype, used wherever a dtype is only known at run time.
double load_element(DType dtype, const std::byte* base, int64_t element);
void store_element(DType dtype, std::byte* base, int64_t element, double value);

template <class T>
Array Array::of(Shape shape, std::span<const T> values) {
  Array result(dtype_of<T>, std::move(shape));
  if (static_cast<int64_t>(values.size()) != result.shape().numel())
    throw Error("{} values given for an array of shape {}", values.size(), to_string(result.shape()));
  std::copy(values.begin(), values.end(), result.values<T>().begin());
  return result;
}

}  // namespace weft
