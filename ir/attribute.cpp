#include "weft/ir/attribute.h"

#include <bit>
#include <cstring>
#include <type_traits>

#include "weft/support/error.h"

namespace weft::ir {
namespace {

template <class T>
std::vector<std::byte> bytes_of(T value) {
  std::vector<std::byte> bytes(sizeof(T));
  std::memcpy(bytes.data(), &value, sizeof(T));
  return bytes;
}

std::vector<std::byte> element_from_double(DType dtype, double value) {
  if (dtype == boolean) return bytes_of(static_cast<uint8_t>(value != 0));
  return with_element_type(dtype, [&]<class T>(ElementType<T>) {
    if constexpr (std::is_integral_v<T>) return bytes_of(static_cast<T>(static_cast<int64_t>(value)));
    else return bytes_of(element_of<T>(value));
  });
}

template <class T>
T read_as(const std::vector<std::byte>& bytes, size_t element) {
  T value;
  std::memcpy(&value, bytes.data() + element * sizeof(T), sizeof(T));
  return value;
}

}  // namespace

Dense::Dense(Type type, std::vector<std::byte> bytes) : type_(std::move(type)), splat_(false) {
  const size_t size = size_of(type_.dtype);
  WEFT_CHECK(bytes.size() == static_cast<size_t>(type_.bytes()), "{} bytes for a {}", bytes.size(), to_string(type_));
  bool same = !bytes.empty();
  for (size_t i = size; i < bytes.size() && same; i += size) same = std::memcmp(bytes.data(), bytes.data() + i, size) == 0;
  if (same) bytes.resize(size);
  if (bytes.empty()) bytes.resize(size);  // zero elements: any splat will do
  splat_ = same || type_.shape.numel() == 0;
  bytes_ = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
}

Dense Dense::splat(Type type, double value) {
  Dense result;
  result.bytes_ = std::make_shared<const std::vector<std::byte>>(element_from_double(type.dtype, value));
  result.type_ = std::move(type);
  return result;
}

Dense Dense::splat_integer(Type type, int64_t value) {
  if (is_floating(type.dtype)) return splat(std::move(type), static_cast<double>(value));
  Dense result;
  // Integers wrap to their width.
  std::vector<std::byte> bytes = with_element_type(type.dtype, [&]<class T>(ElementType<T>) {
    if constexpr (std::is_integral_v<T>) return bytes_of(static_cast<T>(type.dtype == boolean ? value != 0 : value));
    else return std::vector<std::byte>();
  });
  result.bytes_ = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  result.type_ = std::move(type);
  return result;
}

Dense Dense::repeated(Type type, std::vector<std::byte> element) {
  WEFT_CHECK(element.size() == size_of(type.dtype), "{} bytes for an element of {}", element.size(), to_string(type));
  Dense result;
  result.bytes_ = std::make_shared<const std::vector<std::byte>>(std::move(element));
  result.type_ = std::move(type);
  return result;
}

double Dense::at(int64_t element) const {
  const size_t i = splat_ ? 0 : static_cast<size_t>(element);
  return with_element_type(type_.dtype, [&]<class T>(ElementType<T>) { return static_cast<double>(number_of(read_as<T>(*bytes_, i))); });
}

int64_t Dense::integer_at(int64_t element) const {
  const size_t i = splat_ ? 0 : static_cast<size_t>(element);
  return with_element_type(type_.dtype, [&]<class T>(ElementType<T>) -> int64_t {
    if constexpr (std::is_integral_v<T>) return read_as<T>(*bytes_, i);
    else throw InternalError("integer_at on a floating constant");
  });
}

Dense Dense::reshaped(Shape shape) const {
  WEFT_CHECK(shape.numel() == type_.shape.numel(), "reshape of a constant from {} to {}", weft::to_string(type_.shape),
             weft::to_string(shape));
  Dense result = *this;
  result.type_.shape = std::move(shape);
  return result;
}

bool Dense::operator==(const Dense& other) const {
  return type_ == other.type_ && splat_ == other.splat_ && (bytes_ == other.bytes_ || *bytes_ == *other.bytes_);
}

std::string_view name_of(AttributeKind kind) {
  switch (kind) {
    case AttributeKind::boolean: return "bool";
    case AttributeKind::integer: return "integer";
    case AttributeKind::real: return "real";
    case AttributeKind::text: return "string";
    case AttributeKind::dims: return "list of integers";
    case AttributeKind::dtype: return "dtype";
    case AttributeKind::dense: return "elements";
  }
  return "?";
}

size_t hash_of(const Attribute& a) {
  const auto bytes_hash = [](const void* p, size_t n) { return std::hash<std::string_view>{}({static_cast<const char*>(p), n}); };
  switch (kind_of(a)) {
    case AttributeKind::boolean: return std::get<bool>(a);
    case AttributeKind::integer: return std::hash<int64_t>{}(std::get<int64_t>(a));
    case AttributeKind::real: return std::hash<uint64_t>{}(std::bit_cast<uint64_t>(std::get<double>(a)));
    case AttributeKind::text: return std::hash<std::string>{}(std::get<std::string>(a));
    case AttributeKind::dims: {
      const Dims& d = std::get<Dims>(a);
      return bytes_hash(d.data(), d.size() * sizeof(int64_t));
    }
    case AttributeKind::dtype: return static_cast<size_t>(std::get<DType>(a));
    case AttributeKind::dense: {
      const auto& bytes = std::get<Dense>(a).bytes();
      return bytes_hash(bytes.data(), bytes.size());
    }
  }
  return 0;
}

bool equal(const Attribute& a, const Attribute& b) {
  if (a.index() != b.index()) return false;
  if (const double* x = std::get_if<double>(&a)) return std::bit_cast<uint64_t>(*x) == std::bit_cast<uint64_t>(std::get<double>(b));
  return a == b;
}

}  // namespace weft::ir
