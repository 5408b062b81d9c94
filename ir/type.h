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
inline std::string to_string(const Type& type) { return std::string(name_of(type.dtype)) + weft::to_string(type.shape); }

/// No value takes more bytes, so that those of thousands of values add up without overflow. An empty one is as large as its
/// axes without those of extent 0: offsets along them are computed all the same.
inline constexpr int64_t most_value_bytes = int64_t{1} << 50;
inline bool is_too_large(const Type& type) {
  int64_t room = most_value_bytes / static_cast<int64_t>(size_of(type.dtype));
  for (int64_t extent : type.shape)
    if (extent != 0) room /= extent;
  return room == 0;
}

}  // namespace weft::ir
