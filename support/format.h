#pragma once
// Shapes and element types in fmt's texts: fmt::print("{} {}", x.shape(), x.dtype()) writes "[64,10] f32".

#include <fmt/format.h>

#include <string_view>

#include "weft/support/dtype.h"
#include "weft/support/shape.h"

template <>
struct fmt::formatter<weft::Shape> : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(const weft::Shape& shape, Context& context) const {
    return fmt::formatter<std::string_view>::format(weft::to_string(shape), context);
  }
};

template <>
struct fmt::formatter<weft::DType> : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(weft::DType dtype, Context& context) const {
    return fmt::formatter<std::string_view>::format(weft::name_of(dtype), context);
  }
};
