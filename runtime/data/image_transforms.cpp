// Pictures turned, and with holes.

#include "weft/runtime/data/image_transforms.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "weft/runtime/data/image_shape.h"

namespace weft::transforms {
namespace {

/// A pixel of a plane between four. As in torchvision, of one at the edge what is inside counts by its share, squared, and `fill` by
/// what the share leaves.
float bilinear(const float* plane, int64_t height, int64_t width, double y, double x, float fill) {
  const double top = std::floor(y), left = std::floor(x);
  double sum = 0, inside = 0;
  for (const int64_t dy : {0, 1})
    for (const int64_t dx : {0, 1}) {
      const double row = top + static_cast<double>(dy), column = left + static_cast<double>(dx);
      const double weight = (1 - std::abs(y - row)) * (1 - std::abs(x - column));
      if (row < 0 || column < 0 || row >= static_cast<double>(height) || column >= static_cast<double>(width)) continue;
      sum += weight * plane[static_cast<int64_t>(row) * width + static_cast<int64_t>(column)];
      inside += weight;
    }
  return static_cast<float>(sum * inside + (1 - inside) * fill);
}

float nearest(const float* plane, int64_t height, int64_t width, double y, double x, float fill) {
  const double row = std::nearbyint(y), column = std::nearbyint(x);
  if (row < 0 || column < 0 || row >= static_cast<double>(height) || column >= static_cast<double>(width)) return fill;
  return plane[static_cast<int64_t>(row) * width + static_cast<int64_t>(column)];
}

void rotate(std::span<const float> from, const Shape& shape, std::span<float> to, double degrees, const RandomRotationOptions& o) {
  const double angle = degrees * std::numbers::pi / 180, cosine = std::cos(angle), sine = std::sin(angle);
  const int64_t height = shape[1], width = shape[2];
  const double middle_y = static_cast<double>(height - 1) / 2, middle_x = static_cast<double>(width - 1) / 2;
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x) {
      const double dy = static_cast<double>(y) - middle_y, dx = static_cast<double>(x) - middle_x;
      const double from_x = cosine * dx - sine * dy + middle_x, from_y = sine * dx + cosine * dy + middle_y;
      for (int64_t c = 0; c < shape[0]; ++c) {
        const float* const plane = from.data() + c * height * width;
        to[static_cast<size_t>((c * height + y) * width + x)] =
            (o.bilinear ? bilinear : nearest)(plane, height, width, from_y, from_x, o.fill);
      }
    }
}

/// What is inside the picture of a rectangle becomes `value`.
void erase(std::span<float> picture, const Shape& shape, int64_t top, int64_t left, int64_t height, int64_t width, float value) {
  const int64_t first = std::max<int64_t>(0, left), last = std::min(shape[2], left + width);
  for (int64_t c = 0; c < shape[0]; ++c)
    for (int64_t y = std::max<int64_t>(0, top); y < std::min(shape[1], top + height) && first < last; ++y) {
      float* const row = picture.data() + (c * shape[1] + y) * shape[2];
      std::fill(row + first, row + last, value);
    }
}

}  // namespace

Transform random_rotation(std::pair<double, double> degrees, RandomRotationOptions options) {
  if (!(degrees.first <= degrees.second) || !std::isfinite(degrees.first) || !std::isfinite(degrees.second))
    throw Error("random_rotation: angles lie from {} to {} degrees, from small to large", degrees.first, degrees.second);
  Transform t{.name = "random_rotation"};
  t.shape = [](const Shape& shape) { return detail::image_shape(shape, "random_rotation"); };
  t.apply = [=](std::span<const float> from, const Shape& shape, std::span<float> to, Draw& draw) {
    rotate(from, shape, to, detail::between(draw, degrees), options);
  };
  return t;
}

Transform random_erasing(RandomErasingOptions o) {
  const auto& [probability, scale, ratio, value] = o;
  if (!(probability >= 0 && probability <= 1)) throw Error("random_erasing: {} is no probability", probability);
  if (!(scale.first >= 0 && scale.first <= scale.second && scale.second <= 1) || !(ratio.first > 0 && ratio.first <= ratio.second) ||
      !std::isfinite(ratio.second))
    throw Error("random_erasing: .scale ({}, {}) lies in [0, 1] and .ratio ({}, {}) above 0, each from small to large", scale.first,
                scale.second, ratio.first, ratio.second);
  Transform t{.name = "random_erasing"};
  t.shape = [](const Shape& shape) { return detail::image_shape(shape, "random_erasing"); };
  t.apply = [o](std::span<const float> from, const Shape& shape, std::span<float> to, Draw& draw) {
    std::copy(from.begin(), from.end(), to.begin());
    if (draw.uniform() >= o.probability) return;
    for (int i = 0; i < 10; ++i) {
      const double area = static_cast<double>(shape[1] * shape[2]) * detail::between(draw, o.scale);
      const double ratio = std::exp(detail::between(draw, {std::log(o.ratio.first), std::log(o.ratio.second)}));
      const auto height = static_cast<int64_t>(std::nearbyint(std::sqrt(area * ratio))),
                 width = static_cast<int64_t>(std::nearbyint(std::sqrt(area / ratio)));
      if (height >= shape[1] || width >= shape[2]) continue;
      const int64_t top = draw.below(shape[1] - height + 1);
      return erase(to, shape, top, draw.below(shape[2] - width + 1), height, width, o.value);
    }
  };
  return t;
}

Transform cutout(int64_t length, int64_t holes) {
  if (length < 1 || holes < 1 || holes > 64) throw Error("cutout: length ({}) must be positive, holes ({}) in 1 .. 64", length, holes);
  Transform t{.name = "cutout"};
  t.shape = [](const Shape& shape) { return detail::image_shape(shape, "cutout"); };
  t.apply = [=](std::span<const float> from, const Shape& shape, std::span<float> to, Draw& draw) {
    std::copy(from.begin(), from.end(), to.begin());
    for (int64_t i = 0; i < holes; ++i) {
      const int64_t y = draw.below(shape[1]), x = draw.below(shape[2]);
      erase(to, shape, y - length / 2, x - length / 2, length, length, 0);
    }
  };
  return t;
}

}  // namespace weft::transforms
