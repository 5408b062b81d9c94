#pragma once
// Compile-time facts of an op. An op definition lists its attributes with kinds and defaults; an op stores one
// value for each, in that order, so equality, hashing, printing and parsing need no knowledge of the op.

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "weft/ir/type.h"

namespace weft::ir {

/// The elements of a constant. A splat stores one element, whatever the shape.
class Dense {
 public:
  Dense() = default;
  /// `bytes` holds type.shape.numel() elements; equal elements are folded into a splat.
  Dense(Type type, std::vector<std::byte> bytes);
  /// Every element is `value`, converted to the element type.
  static Dense splat(Type type, double value);
  /// Integers beyond 2^53 survive this one.
  static Dense splat_integer(Type type, int64_t value);
  /// Every element has these bytes.
  static Dense repeated(Type type, std::vector<std::byte> element);

  const Type& type() const { return type_; }
  bool is_splat() const { return splat_; }
  /// One element if a splat, else all of them.
  const std::vector<std::byte>& bytes() const { return *bytes_; }
  /// Element as a double / exactly as an integer (integer and bool types only).
  double at(int64_t element) const;
  int64_t integer_at(int64_t element) const;
  /// The same elements under another shape with as many elements.
  Dense reshaped(Shape shape) const;

  bool operator==(const Dense& other) const;

 private:
  Type type_;
  bool splat_ = true;
  std::shared_ptr<const std::vector<std::byte>> bytes_ = std::make_shared<std::vector<std::byte>>();
};

using Attribute = std::variant<bool, int64_t, double, std::string, Dims, DType, Dense>;
/// Those of an op, in the order of its definition.
using Attributes = std::span<const Attribute>;

enum class AttributeKind { boolean, integer, real, text, dims, dtype, dense };

inline AttributeKind kind_of(const Attribute& a) { return static_cast<AttributeKind>(a.index()); }
std::string_view name_of(AttributeKind kind);

/// Attributes by name, as given to the builder or read by the parser.
using NamedAttributes = std::vector<std::pair<std::string, Attribute>>;

size_t hash_of(const Attribute& a);
/// Bitwise for reals: nan equals nan and 0.0 differs from -0.0.
bool equal(const Attribute& a, const Attribute& b);

}  // namespace weft::ir
