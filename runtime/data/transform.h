#pragma once
// What is done to an example between the data set and the batch: torchvision.transforms, on worker threads ahead of the
// training step.
//
//   train.transforms = {transforms::random_crop(32, 32, 4), transforms::random_horizontal_flip(), transforms::normalize(mean, deviation)};
//   test.transforms = {transforms::normalize(mean, deviation)};

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "weft/support/shape.h"

namespace weft {

/// Random numbers for one transform of one example in one epoch, a function of these and the seed alone, so that neither
/// the batch nor the thread matters.
class Draw {
 public:
  Draw(uint64_t seed, int64_t epoch, int64_t example, size_t transform)
      : seed_(seed), example_(static_cast<uint64_t>(example)), epoch_(static_cast<uint32_t>(epoch)),
        transform_(static_cast<uint32_t>(transform)) {}

  /// The next number, uniform in [0, 1).
  double uniform();
  /// The next number, uniform in 0 .. count - 1.
  int64_t below(int64_t count);

 private:
  uint32_t bits();

  uint64_t seed_, example_;
  uint32_t epoch_, transform_, drawn_ = 0;
};

namespace detail {

/// Who draws numbers of an example or a batch besides transforms: a number behind those of all transforms.
enum DrawsBesides : size_t { source_draws = 1 << 15, mixup_draws };

}  // namespace detail

/// One transform; a data set has a list of them, applied in this order to what its divisor made of an example.
struct Transform {
  std::string name;
  /// The shape of the result for an example of this shape. Throws weft::Error when the transform does not fit.
  std::function<Shape(const Shape&)> shape;
  /// Writes the result for the example `from` of shape `shape`. Called from several threads at once.
  std::function<void(std::span<const float> from, const Shape& shape, std::span<float> to, Draw& draw)> apply;
};

/// Images are [channels, height, width].
namespace transforms {

/// (x - mean[c]) / deviation[c] in channel c. The sizes must be the number of channels, the deviations positive.
Transform normalize(std::vector<float> mean, std::vector<float> deviation);

/// A random part of height x width of the image with `padding` zeros on each side.
Transform random_crop(int64_t height, int64_t width, int64_t padding = 0);

/// The mirror image with this probability.
Transform random_horizontal_flip(double probability = 0.5);

}  // namespace transforms
}  // namespace weft
