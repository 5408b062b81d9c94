#pragma once
// Transforms of pictures [channels, height, width]: torchvision.transforms, for tensors. Values are taken as they come out of the
// division by Dataset::divisor; where colours count, they lie in [0, 1].

#include <cstdint>
#include <utility>

#include "weft/runtime/data/transform.h"

namespace weft::transforms {

/// Bilinear, with antialias, as torch's interpolate(mode="bilinear", antialias=True) and torchvision's Resize.
Transform resize(int64_t height, int64_t width);
/// The shorter side becomes `size`, the other one as much smaller or larger.
Transform resize(int64_t size);

/// The middle part of height x width; what is missing of a smaller picture is 0.
Transform center_crop(int64_t height, int64_t width);

struct RandomResizedCropOptions {
  std::pair<double, double> scale = {0.08, 1};           // of the part's area in the picture's
  std::pair<double, double> ratio = {3.0 / 4, 4.0 / 3};  // of the part's width to its height
};
/// A random part of the picture, resized to height x width. After ten parts that did not fit, the middle one.
Transform random_resized_crop(int64_t height, int64_t width, RandomResizedCropOptions options = {});

/// A factor is drawn from {low, high}: {1, 1} changes nothing.
struct ColorJitterOptions {
  std::pair<double, double> brightness = {1, 1}, contrast = {1, 1}, saturation = {1, 1};
  std::pair<double, double> hue = {0, 0};  // within -0.5 .. 0.5, turns of the colour wheel
};
/// Brightness, contrast, saturation and hue, in a random order. Pictures have 3 channels, or 1, whose saturation and hue stay. What
/// torchvision has as brightness = 0.4 is {0.6, 1.4} here, and hue = 0.1 is {-0.1, 0.1}.
Transform color_jitter(ColorJitterOptions options);

struct RandomRotationOptions {
  bool bilinear = false;  // else the nearest pixel
  float fill = 0;         // of what was outside
};
/// Turned about its middle by an angle drawn from {low, high}, in degrees, against the clock; keeps its size.
Transform random_rotation(std::pair<double, double> degrees, RandomRotationOptions options = {});

struct RandomErasingOptions {
  double probability = 0.5;
  std::pair<double, double> scale = {0.02, 0.33};  // of the rectangle's area in the picture's
  std::pair<double, double> ratio = {0.3, 3.3};    // of its height to its width
  float value = 0;                                 // what it becomes
};
/// A random rectangle is overwritten: RandomErasing (Zhong et al. 2017).
Transform random_erasing(RandomErasingOptions options = {});

/// `holes` squares with sides of `length`, their middles anywhere in the picture, become 0: Cutout (DeVries and Taylor 2017).
Transform cutout(int64_t length, int64_t holes = 1);

}  // namespace weft::transforms
