#pragma once
// What is known of a value before it is computed: element type and static shape.

#include <string>

#include "weft/support/dtype.h"
#include "weft/support/shape.h"

namespace weft::ir {

struct Type {
  DType dtype = f32;
  Shape shape;

  int64_t bytes() const { return shape.numel() * static_cast<int64_t>(size_of(dtype)); }
  bool operator==(const Type&) const = default;
};

/// "f32[64,784]"
inline std::string to_string(const Type& type) {
  return std::string(name_of(type.dtype)) + weft::to_string(type.shape);
}

}  // namespace weft::ir
