// Parts of pictures, and pictures of other sizes.

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "weft/runtime/data/image_shape.h"
#include "weft/runtime/data/image_transforms.h"

namespace weft::transforms {
namespace {

using detail::image_shape;

/// What one pixel along an axis is made of: pixels from `first` on.
struct Taps {
  int64_t first;
  std::vector<float> weights;
};

/// A triangle over the pixels that it covers: two wide, or as wide as one pixel of the result where that is smaller.
std::vector<Taps> taps(int64_t from, int64_t to) {
  const double scale = static_cast<double>(from) / static_cast<double>(to), support = std::max(scale, 1.0);
  std::vector<Taps> all;
  for (int64_t i = 0; i < to; ++i) {
    const double middle = scale * (static_cast<double>(i) + 0.5);
    const auto first = std::max<int64_t>(static_cast<int64_t>(middle - support + 0.5), 0);
    const auto end = std::min(static_cast<int64_t>(middle + support + 0.5), from);
    std::vector<double> weights;
    double sum = 0;
    for (int64_t k = first; k < end; ++k) {
      weights.push_back(std::max(0.0, 1 - std::abs((static_cast<double>(k) - middle + 0.5) / support)));
      sum += weights.back();
    }
    Taps one{first, {}};
    for (const double weight : weights) one.weights.push_back(static_cast<float>(weight / sum));
    all.push_back(std::move(one));
  }
  return all;
}

/// A part of each plane of a picture.
struct Part {
  int64_t top, left, height, width;
};

/// Along rows, then along columns.
void resample(std::span<const float> from, const Shape& shape, const Part& part, std::span<float> to, int64_t height, int64_t width) {
  const std::vector<Taps> across = taps(part.width, width), down = taps(part.height, height);
  std::vector<float> between(static_cast<size_t>(part.height * width));
  for (int64_t c = 0; c < shape[0]; ++c) {
    for (int64_t y = 0; y < part.height; ++y) {
      const float* const row = from.data() + (c * shape[1] + part.top + y) * shape[2] + part.left;
      for (int64_t x = 0; x < width; ++x) {
        const auto& [first, weights] = across[static_cast<size_t>(x)];
        float sum = 0;
        for (size_t k = 0; k < weights.size(); ++k) sum += weights[k] * row[first + static_cast<int64_t>(k)];
        between[static_cast<size_t>(y * width + x)] = sum;
      }
    }
    for (int64_t y = 0; y < height; ++y) {
      const auto& [first, weights] = down[static_cast<size_t>(y)];
      float* const row = to.data() + (c * height + y) * width;
      std::fill_n(row, width, 0.0f);
      for (size_t k = 0; k < weights.size(); ++k) {
        const float* const above = between.data() + (first + static_cast<int64_t>(k)) * width;
        for (int64_t x = 0; x < width; ++x) row[x] += weights[k] * above[x];
      }
    }
  }
}

void check_size(const char* name, int64_t height, int64_t width) {
  if (height < 1 || width < 1) throw Error("{}: height ({}) and width ({}) must be positive", name, height, width);
}

Transform resizing(std::function<Shape(const Shape&)> shape) {
  Transform t{.name = "resize", .shape = shape};
  t.apply = [shape](std::span<const float> from, const Shape& was, std::span<float> to, Draw&) {
    const Shape now = shape(was);
    resample(from, was, {0, 0, was[1], was[2]}, to, now[1], now[2]);
  };
  return t;
}

const Shape& not_empty(const Shape& shape, const char* name) {
  if (image_shape(shape, name)[1] < 1 || shape[2] < 1) throw Error("{}: an example {} has no pixels", name, to_string(shape));
  return shape;
}

/// A random part, as torchvision chooses it.
Part draw_part(const Shape& shape, const RandomResizedCropOptions& o, Draw& draw) {
  const auto height = static_cast<double>(shape[1]), width = static_cast<double>(shape[2]);
  for (int i = 0; i < 10; ++i) {
    const double area = height * width * detail::between(draw, o.scale);
    const double ratio = std::exp(detail::between(draw, {std::log(o.ratio.first), std::log(o.ratio.second)}));
    const auto w = static_cast<int64_t>(std::nearbyint(std::sqrt(area * ratio))),
               h = static_cast<int64_t>(std::nearbyint(std::sqrt(area / ratio)));
    if (w < 1 || h < 1 || w > shape[2] || h > shape[1]) continue;
    const int64_t top = draw.below(shape[1] - h + 1);
    return {top, draw.below(shape[2] - w + 1), h, w};
  }
  const double ratio = std::clamp(width / height, o.ratio.first, o.ratio.second);
  const auto w = std::max<int64_t>(1, static_cast<int64_t>(std::nearbyint(std::min(width, height * ratio)))),
             h = std::max<int64_t>(1, static_cast<int64_t>(std::nearbyint(std::min(height, width / ratio))));
  return {(shape[1] - h) / 2, (shape[2] - w) / 2, h, w};
}

}  // namespace

Transform resize(int64_t height, int64_t width) {
  check_size("resize", height, width);
  return resizing([=](const Shape& shape) { return Shape{not_empty(shape, "resize")[0], height, width}; });
}

Transform resize(int64_t size) {
  check_size("resize", size, size);
  return resizing([=](const Shape& shape) {
    const int64_t height = not_empty(shape, "resize")[1], width = shape[2];
    if (height <= width) return Shape{shape[0], size, size * width / height};
    return Shape{shape[0], size * height / width, size};
  });
}

Transform center_crop(int64_t height, int64_t width) {
  check_size("center_crop", height, width);
  Transform t{.name = "center_crop"};
  t.shape = [=](const Shape& shape) { return Shape{image_shape(shape, "center_crop")[0], height, width}; };
  t.apply = [=](std::span<const float> from, const Shape& shape, std::span<float> to, Draw&) {
    // Of a smaller picture the place in the result, negated.
    const auto start = [](int64_t extent, int64_t wanted) {
      return extent < wanted ? -((wanted - extent) / 2) : static_cast<int64_t>(std::nearbyint(static_cast<double>(extent - wanted) / 2));
    };
    const int64_t top = start(shape[1], height), left = start(shape[2], width);
    std::fill(to.begin(), to.end(), 0.0f);
    const int64_t first = std::max<int64_t>(0, -left), last = std::min(width, shape[2] - left);
    for (int64_t c = 0; c < shape[0]; ++c)
      for (int64_t y = std::max<int64_t>(0, -top); y < std::min(height, shape[1] - top); ++y) {
        const float* const row = from.data() + (c * shape[1] + y + top) * shape[2] + left;
        std::copy(row + first, row + last, to.data() + (c * height + y) * width + first);
      }
  };
  return t;
}

Transform random_resized_crop(int64_t height, int64_t width, RandomResizedCropOptions options) {
  check_size("random_resized_crop", height, width);
  const auto& [scale, ratio] = options;
  if (!(scale.first > 0 && scale.first <= scale.second && scale.second <= 1) || !(ratio.first > 0 && ratio.first <= ratio.second) ||
      !std::isfinite(ratio.second))
    throw Error("random_resized_crop: .scale ({}, {}) lies in (0, 1] and .ratio ({}, {}) above 0, each from small to large", scale.first,
                scale.second, ratio.first, ratio.second);
  Transform t{.name = "random_resized_crop"};
  t.shape = [=](const Shape& shape) { return Shape{not_empty(shape, "random_resized_crop")[0], height, width}; };
  t.apply = [=](std::span<const float> from, const Shape& shape, std::span<float> to, Draw& draw) {
    resample(from, shape, draw_part(shape, options, draw), to, height, width);
  };
  return t;
}

}  // namespace weft::transforms
