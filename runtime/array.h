#pragma once
// A dense row-major array: what parameters, batches and results are made of.

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <source_location>
#include <span>
#include <vector>

#include "weft/runtime/storage.h"
#include "weft/support/dtype.h"
#include "weft/support/error.h"
#include "weft/support/shape.h"

namespace weft {

/// Bytes of alignment of every buffer that weft allocates: a cache line, and the widest vector.
inline constexpr size_t buffer_alignment = 64;

/// Owns its memory (aligned to `buffer_alignment`, zeroed); copying copies the elements. An array that was moved from is empty.
///
/// Its elements are asked for on the host. Where a program computes in another memory (runtime/memory_space.h) and has written
/// them there, asking brings them here: a pointer or span is good until the next run of such a program that uses the array.
class Array {
 public:
  Array() : Array(f32, Shape{0}, std::source_location()) {}
  /// Throws weft::Error naming the size and the line when there is not so much memory.
  Array(DType dtype, Shape shape, std::source_location at = std::source_location::current());
  Array(const Array& other);
  Array& operator=(const Array& other);
  Array(Array&& other);
  Array& operator=(Array&& other);

  /// Copies `values`, which must have exactly shape.numel() elements.
  template <class T>
  static Array of(Shape shape, std::span<const T> values);
  template <class T>
  static Array of(Shape shape, const std::vector<T>& values) {
    return of(std::move(shape), std::span<const T>(values));
  }

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  size_t bytes() const { return static_cast<size_t>(shape_.numel()) * size_of(dtype_); }
  std::byte* data() {
    if (before_write_) before_write_(*this);
    return storage_.write();
  }
  const std::byte* data() const { return storage_.read(); }

  /// The elements as `T`; throws weft::Error unless T is exactly the element type.
  template <class T>
  std::span<T> values() {
    require(dtype_of<T>);
    return {reinterpret_cast<T*>(data()), static_cast<size_t>(shape_.numel())};
  }
  template <class T>
  std::span<const T> values() const {
    require(dtype_of<T>);
    return {reinterpret_cast<const T*>(data()), static_cast<size_t>(shape_.numel())};
  }

  /// One element converted to / from double (element number in row-major order). Throws weft::Error when there is no such
  /// element.
  double at(int64_t element) const;
  void set(int64_t element, double value);
  /// Every element from `element(its number)`, converted as set() does it; `element` does not look at the array.
  template <class Function>
  void generate(const Function& element);
  /// The same, several elements at a time: `elements(number of the first, span of doubles)` gives them.
  template <class Function>
  void generate_chunks(const Function& elements);

  /// From here on others point to the memory, and it stays where it is: assigning copies the elements, which must be as many
  /// and of the same type, else weft::Error, and moving from it copies. `before_write` is called by every access through
  /// this object that may write.
  void pin(void (*before_write)(const Array&)) { before_write_ = before_write; }
  bool is_pinned() const { return before_write_ != nullptr; }
  /// What programs are bound to. Writing there is not told to who pinned it.
  Storage& storage() { return storage_; }
  const Storage& storage() const { return storage_; }

 private:
  void require(DType wanted) const;
  void require_element(int64_t element) const;
  void copy_in_place(const Array& other);

  DType dtype_;
  Shape shape_;
  Storage storage_;
  void (*before_write_)(const Array&) = nullptr;
};

/// Element conversions through memory of any dtype, used wherever a dtype is only known at run time.
double load_element(DType dtype, const std::byte* base, int64_t element);
void store_element(DType dtype, std::byte* base, int64_t element, double value);
void store_elements(DType dtype, std::byte* base, int64_t first, std::span<const double> values);

template <class T>
Array Array::of(Shape shape, std::span<const T> values) {
  if (static_cast<int64_t>(values.size()) != shape.numel())
    throw Error(ErrorKind::shape, "{} values given for an array of shape {}", values.size(), to_string(shape));
  Array result(dtype_of<T>, std::move(shape), std::source_location());
  std::copy(values.begin(), values.end(), result.values<T>().begin());
  return result;
}

template <class Function>
void Array::generate(const Function& element) {
  generate_chunks([&](int64_t first, std::span<double> chunk) {
    for (size_t i = 0; i < chunk.size(); ++i) chunk[i] = element(first + static_cast<int64_t>(i));
  });
}

template <class Function>
void Array::generate_chunks(const Function& elements) {
  std::array<double, 256> chunk;
  std::byte* const to = data();
  for (int64_t first = 0, end = shape_.numel(); first < end;) {
    const int64_t count = std::min<int64_t>(end - first, chunk.size());
    elements(first, std::span(chunk).first(static_cast<size_t>(count)));
    store_elements(dtype_, to, first, {chunk.data(), static_cast<size_t>(count)});
    first += count;
  }
}

}  // namespace weft
