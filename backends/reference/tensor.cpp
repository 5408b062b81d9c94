// Tensors from and to memory.

#include <algorithm>
#include <new>

#include "weft/backends/reference/kernels.h"
#include "weft/support/memory.h"

namespace weft::reference {

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
  with_element_type(type.dtype, [&]<class T>(ElementType<T>) {
    const auto* elements = reinterpret_cast<const T*>(data);
    for (size_t i = 0; i < t.real.size(); ++i) t.real[i] = static_cast<double>(number_of(elements[i]));
    for (size_t i = 0; i < t.integer.size(); ++i) t.integer[i] = static_cast<int64_t>(number_of(elements[i]));
  });
  return t;
}

void to_memory(const Tensor& t, std::byte* data) {
  with_element_type(t.type.dtype, [&]<class T>(ElementType<T>) {
    auto* elements = reinterpret_cast<T*>(data);
    for (size_t i = 0; i < t.real.size(); ++i) elements[i] = element_of<T>(t.real[i]);
    for (size_t i = 0; i < t.integer.size(); ++i) elements[i] = element_of<T>(t.integer[i]);
  });
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
