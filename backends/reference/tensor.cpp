// Tensors from and to memory.

#include <algorithm>
#include <new>

#include "weft/backends/reference/kernels.h"
#include "weft/support/memory.h"

namespace weft::reference {
namespace {

template <class T, class V>
void read(const std::byte* data, std::vector<V>& values) {
  const auto* elements = reinterpret_cast<const T*>(data);
  for (size_t i = 0; i < values.size(); ++i) {
    if constexpr (std::is_same_v<T, bf16_t>) values[i] = from_bf16(elements[i]);
    else values[i] = static_cast<V>(elements[i]);
  }
}

template <class T, class V>
void write(const std::vector<V>& values, std::byte* data) {
  auto* elements = reinterpret_cast<T*>(data);
  for (size_t i = 0; i < values.size(); ++i) {
    if constexpr (std::is_same_v<T, bf16_t>) elements[i] = to_bf16(static_cast<float>(values[i]));
    else elements[i] = static_cast<T>(values[i]);
  }
}

}  // namespace

Tensor::Tensor(ir::Type t) : type(std::move(t)) {
  const auto count = static_cast<size_t>(type.shape.numel());
  if (count > memory_limit() / 8) throw std::bad_alloc();  // which Linux may grant, and then end the process
  if (is_floating(type.dtype)) real.resize(count);
  else integer.resize(count);
}

ir::ScalarElements elements_of(const Tensor& t, size_t first) {
  return {t.real.empty() ? nullptr : t.real.data() + first, t.integer.empty() ? nullptr : t.integer.data() + first};
}

Tensor from_memory(const ir::Type& type, const std::byte* data) {
  Tensor t(type);
  switch (type.dtype) {
    case DType::f64: read<double>(data, t.real); break;
    case DType::f32: read<float>(data, t.real); break;
    case DType::bf16: read<bf16_t>(data, t.real); break;
    case DType::i64: read<int64_t>(data, t.integer); break;
    case DType::i32: read<int32_t>(data, t.integer); break;
    case DType::u8:
    case DType::bool_: read<uint8_t>(data, t.integer); break;
  }
  return t;
}

void to_memory(const Tensor& t, std::byte* data) {
  switch (t.type.dtype) {
    case DType::f64: return write<double>(t.real, data);
    case DType::f32: return write<float>(t.real, data);
    case DType::bf16: return write<bf16_t>(t.real, data);
    case DType::i64: return write<int64_t>(t.integer, data);
    case DType::i32: return write<int32_t>(t.integer, data);
    case DType::u8:
    case DType::bool_: return write<uint8_t>(t.integer, data);
  }
}

void round_to_type(Tensor& t) {
  if (t.type.dtype == f64 || t.real.empty()) return;
  std::vector<std::byte> memory(t.real.size() * size_of(t.type.dtype));
  to_memory(t, memory.data());
  t = from_memory(t.type, memory.data());
}

Tensor constant(const ir::Dense& value) {
  if (!value.is_splat()) return from_memory(value.type(), value.bytes().data());
  Tensor t(value.type());
  if (is_floating(value.type().dtype)) std::fill(t.real.begin(), t.real.end(), value.at(0));
  else std::fill(t.integer.begin(), t.integer.end(), value.integer_at(0));
  return t;
}

Tensor iota(const ir::Type& type, int64_t axis) {
  Tensor t(type);
  const int64_t inner = type.shape.strides()[static_cast<size_t>(axis)];
  const int64_t extent = type.shape[static_cast<int>(axis)];
  for (int64_t i = 0; i < type.shape.numel(); ++i) t.integer[static_cast<size_t>(i)] = i / inner % extent;
  return t;
}

}  // namespace weft::reference
