#include "weft/runtime/array.h"

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>

#include "weft/support/memory.h"

namespace weft {
namespace {

std::string describe(DType dtype, const Shape& shape, std::source_location at) {
  std::string text = fmt::format("an array {}{}", name_of(dtype), to_string(shape));
  if (at.line() == 0) return text;
  const std::string file = at.file_name();
  return text + fmt::format(" made at {}:{}", file.starts_with('/') ? file.substr(file.rfind('/') + 1) : file, at.line());
}

/// Bytes of the buffer: whole lines, and never none, so that an empty array still has an address to pass on.
uint64_t buffer_bytes(DType dtype, const Shape& shape) {
  // At most 2^62 elements of 8 bytes.
  const auto bytes = static_cast<unsigned __int128>(shape.numel()) * size_of(dtype);
  if (bytes > uint64_t{1} << 62) return UINT64_MAX;
  return std::max<uint64_t>(1, (static_cast<uint64_t>(bytes) + buffer_alignment - 1) / buffer_alignment) * buffer_alignment;
}

}  // namespace

Array::Array(DType dtype, Shape shape, std::source_location at) : dtype_(dtype), shape_(std::move(shape)) {
  const uint64_t bytes = buffer_bytes(dtype_, shape_);
  constexpr uint64_t small = uint64_t{1} << 26;  // for which the machine is not asked what it has
  auto* p = bytes > small && bytes > memory_limit() ? nullptr : allocate_buffer(bytes, buffer_alignment);
  if (!p) throw out_of_memory(describe(dtype_, shape_, at), bytes);
  std::memset(p, 0, bytes);
  storage_ = Storage(p, this->bytes());
}

Array::Array(const Array& other) : Array(other.dtype_, other.shape_, std::source_location()) {
  std::memcpy(storage_.write(), other.data(), bytes());
}

Array::Array(Array&& other) : Array() {
  if (other.is_pinned()) {
    *this = std::as_const(other);
    return;
  }
  std::swap(dtype_, other.dtype_);
  std::swap(shape_, other.shape_);
  std::swap(storage_, other.storage_);
}

Array& Array::operator=(const Array& other) {
  if (is_pinned()) copy_in_place(other);
  else if (this != &other) *this = Array(other);
  return *this;
}

Array& Array::operator=(Array&& other) {
  if (is_pinned() || other.is_pinned()) return *this = std::as_const(other);
  Array taken(std::move(other));
  std::swap(dtype_, taken.dtype_);
  std::swap(shape_, taken.shape_);
  std::swap(storage_, taken.storage_);
  return *this;
}

void Array::copy_in_place(const Array& other) {
  if (dtype_ != other.dtype_ || shape_ != other.shape_)
    throw Error(ErrorKind::shape,
                "this array is {}{}, and compiled programs read it where it is, as they do with parameters, so that it cannot become {}{}",
                name_of(dtype_), to_string(shape_), name_of(other.dtype_), to_string(other.shape_));
  if (this != &other) std::memcpy(data(), other.data(), bytes());
}

void Array::require(DType wanted) const {
  if (dtype_ != wanted) throw Error(ErrorKind::shape, "the array holds {} values, but {} was asked for", name_of(dtype_), name_of(wanted));
}

void Array::require_element(int64_t element) const {
  if (element < 0 || element >= shape_.numel())
    throw Error(ErrorKind::shape, "an array {}{} has {} elements, numbered from 0, and no element {}", name_of(dtype_), to_string(shape_),
                shape_.numel(), element);
}

double Array::at(int64_t element) const {
  require_element(element);
  return load_element(dtype_, data(), element);
}

void Array::set(int64_t element, double value) {
  require_element(element);
  store_element(dtype_, data(), element, value);
}

double load_element(DType dtype, const std::byte* base, int64_t i) {
  return with_element_type(dtype,
                           [&]<class T>(ElementType<T>) { return static_cast<double>(number_of(reinterpret_cast<const T*>(base)[i])); });
}

void store_element(DType dtype, std::byte* base, int64_t i, double value) { store_elements(dtype, base, i, {&value, 1}); }

void store_elements(DType dtype, std::byte* base, int64_t first, std::span<const double> values) {
  with_element_type(dtype, [&]<class T>(ElementType<T>) {
    std::transform(values.begin(), values.end(), reinterpret_cast<T*>(base) + first, [&](double x) {
      if (dtype == boolean) return element_of<T>(x != 0);
      if constexpr (std::is_integral_v<T>) return static_cast<T>(static_cast<int64_t>(x));
      else return element_of<T>(x);
    });
  });
}

}  // namespace weft
