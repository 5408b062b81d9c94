#pragma once
// What transforms of pictures share.

#include <string_view>

#include "weft/runtime/data/transform.h"
#include "weft/support/error.h"

namespace weft::detail {

/// Throws weft::Error in the transform's name unless an example is a picture.
inline const Shape& image_shape(const Shape& shape, std::string_view transform) {
  if (shape.rank() != 3) throw Error("{}: an image is [channels, height, width], but an example is {}", transform, to_string(shape));
  return shape;
}

/// A number of [low, high).
inline double between(Draw& draw, const std::pair<double, double>& range) {
  return range.first + (range.second - range.first) * draw.uniform();
}

}  // namespace weft::detail
