#include "weft/runtime/array.h"

#include <cstdlib>
#include <cstring>
#include <new>

namespace weft {

void Array::Free::operator()(std::byte* p) const { std::free(p); }

Array::Array(DType dtype, Shape shape) : dtype_(dtype), shape_(std::move(shape)) {
  const size_t rounded = (bytes() + buffer_alignment - 1) / buffer_alignment * buffer_alignment;
  // Never null, so that an empty array still has an address to pass on.
  auto* p = static_cast<std::byte*>(std::aligned_alloc(buffer_alignment, std::max(rounded, buffer_alignment)));
  if (!p) throw std::bad_alloc();
  std::memset(p, 0, std::max(rounded, buffer_alignment));
  data_.reset(p);
}

Array::Array(const Array& other) : Array(other.dtype_, other.shape_) {
  std::memcpy(data(), other.data(), bytes());
}

Array& Array::operator=(const Array& other) {
  if (this != &other) *this = Array(other);
  return *this;
}

void Array::require(DType wanted) const {
  if (dtype_ != wanted)
    throw Error("the array holds {} values, but {} was asked for", name_of(dtype_), name_of(wanted));
}

double Array::at(int64_t element) const { return load_element(dtype_, data(), element); }
void Array::set(int64_t element, double value) { store_element(dtype_, data(), element, value); }

double load_element(DType dtype, const std::byte* base, int64_t i) {
  switch (dtype) {
    case DType::f64: return reinterpret_cast<const double*>(base)[i];
    case DType::f32: return reinterpret_cast<const float*>(base)[i];
    case DType::bf16: return from_bf16(reinterpret_cast<const bf16_t*>(base)[i]);
    case DType::i64: return static_cast<double>(reinterpret_cast<const int64_t*>(base)[i]);
    case DType::i32: return reinterpret_cast<const int32_t*>(base)[i];
    case DType::u8:
    case DType::bool_: return reinterpret_cast<const uint8_t*>(base)[i];
  }
  return 0;
}

void store_element(DType dtype, std::byte* base, int64_t i, double value) {
  switch (dtype) {
    case DType::f64: reinterpret_cast<double*>(base)[i] = value; return;
    case DType::f32: reinterpret_cast<float*>(base)[i] = static_cast<float>(value); return;
    case DType::bf16: reinterpret_cast<bf16_t*>(base)[i] = to_bf16(static_cast<float>(value)); return;
    case DType::i64: reinterpret_cast<int64_t*>(base)[i] = static_cast<int64_t>(value); return;
    case DType::i32: reinterpret_cast<int32_t*>(base)[i] = static_cast<int32_t>(value); return;
    case DType::u8: reinterpret_cast<uint8_t*>(base)[i] = static_cast<uint8_t>(value); return;
    case DType::bool_: reinterpret_cast<uint8_t*>(base)[i] = value != 0; return;
  }
}

}  // namespace weft
