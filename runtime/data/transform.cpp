#include "weft/runtime/data/transform.h"

#include <algorithm>

#include "weft/runtime/data/image_shape.h"
#include "weft/support/error.h"
#include "weft/support/philox.h"

namespace weft {
namespace {

using detail::image_shape;

constexpr uint32_t transform_site = 0xDA7A0001u;  // and on; shuffle_order has the one before, ops count from 0

}  // namespace

uint32_t Draw::bits() {
  const uint32_t high = static_cast<uint32_t>(example_ >> 32) << 8 | drawn_++;
  return philox4x32({static_cast<uint32_t>(example_), high, transform_site + transform_, epoch_},
                    {static_cast<uint32_t>(seed_), static_cast<uint32_t>(seed_ >> 32)})[0];
}

double Draw::uniform() { return uniform_from_bits(bits()); }
int64_t Draw::below(int64_t count) { return static_cast<int64_t>(uint64_t{bits()} * static_cast<uint64_t>(count) >> 32); }

namespace transforms {

Transform normalize(std::vector<float> mean, std::vector<float> deviation) {
  if (mean.size() != deviation.size() || std::any_of(deviation.begin(), deviation.end(), [](float d) { return !(d > 0); }))
    throw Error("normalize: {} means and {} deviations were given; it needs one of each a channel, the deviations positive", mean.size(),
                deviation.size());
  Transform t{.name = "normalize"};
  t.shape = [channels = std::ssize(mean)](const Shape& shape) {
    if (image_shape(shape, "normalize")[0] != channels)
      throw Error("normalize: means of {} channels were given, but an example is {}", channels, to_string(shape));
    return shape;
  };
  t.apply = [mean = std::move(mean), deviation = std::move(deviation)](std::span<const float> from, const Shape&, std::span<float> to,
                                                                       Draw&) {
    const size_t plane = from.size() / mean.size();
    for (size_t c = 0; c < mean.size(); ++c)
      for (size_t i = c * plane; i < (c + 1) * plane; ++i) to[i] = (from[i] - mean[c]) / deviation[c];
  };
  return t;
}

Transform random_crop(int64_t height, int64_t width, int64_t padding) {
  if (height < 1 || width < 1 || padding < 0)
    throw Error("random_crop: height ({}) and width ({}) must be positive, padding ({}) not negative", height, width, padding);
  Transform t{.name = "random_crop"};
  t.shape = [=](const Shape& shape) {
    if (image_shape(shape, "random_crop")[1] + 2 * padding < height || shape[2] + 2 * padding < width)
      throw Error("random_crop: {} x {} does not fit into an example {} with a padding of {}", height, width, to_string(shape), padding);
    return Shape{shape[0], height, width};
  };
  t.apply = [=](std::span<const float> from, const Shape& shape, std::span<float> to, Draw& draw) {
    const int64_t top = draw.below(shape[1] + 2 * padding - height + 1) - padding,
                  left = draw.below(shape[2] + 2 * padding - width + 1) - padding;
    std::fill(to.begin(), to.end(), 0.0f);
    const int64_t first = std::max<int64_t>(0, -left), last = std::min(width, shape[2] - left);  // columns that are inside
    for (int64_t c = 0; c < shape[0]; ++c)
      for (int64_t y = std::max<int64_t>(0, -top); y < std::min(height, shape[1] - top); ++y) {
        const float* const row = from.data() + (c * shape[1] + y + top) * shape[2] + left;
        if (first < last) std::copy(row + first, row + last, to.data() + (c * height + y) * width + first);
      }
  };
  return t;
}

Transform random_horizontal_flip(double probability) {
  if (!(probability >= 0 && probability <= 1)) throw Error("random_horizontal_flip: {} is no probability", probability);
  Transform t{.name = "random_horizontal_flip"};
  t.shape = [](const Shape& shape) { return image_shape(shape, "random_horizontal_flip"); };
  t.apply = [=](std::span<const float> from, const Shape& shape, std::span<float> to, Draw& draw) {
    std::copy(from.begin(), from.end(), to.begin());
    if (draw.uniform() >= probability) return;
    for (auto row = to.begin(); row != to.end(); row += shape[2]) std::reverse(row, row + shape[2]);
  };
  return t;
}

}  // namespace transforms
}  // namespace weft
