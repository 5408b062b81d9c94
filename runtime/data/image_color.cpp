// Colours of pictures.

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "weft/runtime/data/image_shape.h"
#include "weft/runtime/data/image_transforms.h"

namespace weft::transforms {
namespace {

using Range = std::pair<double, double>;

/// A picture's planes; one that is gray has the same three times.
struct Planes {
  float *r, *g, *b;
  size_t count;
  bool colored;

  float brightness(size_t i) const { return 0.2989f * r[i] + 0.587f * g[i] + 0.114f * b[i]; }
};

float kept(float value) { return std::clamp(value, 0.0f, 1.0f); }

template <class F>
void each_plane(const Planes& p, const F& f) {
  for (float* plane : {p.r, p.g, p.b}) {
    for (size_t i = 0; i < p.count; ++i) plane[i] = kept(f(plane[i], i));
    if (!p.colored) return;
  }
}

void adjust_brightness(const Planes& p, float factor) {
  each_plane(p, [&](float x, size_t) { return factor * x; });
}

void adjust_contrast(const Planes& p, float factor) {
  double sum = 0;
  for (size_t i = 0; i < p.count; ++i) sum += p.colored ? p.brightness(i) : p.r[i];
  const auto rest = (1 - factor) * static_cast<float>(sum / static_cast<double>(p.count));
  each_plane(p, [&](float x, size_t) { return factor * x + rest; });
}

void adjust_saturation(const Planes& p, float factor) {
  if (!p.colored) return;
  for (size_t i = 0; i < p.count; ++i) {
    const float gray = (1 - factor) * p.brightness(i);
    for (float* plane : {p.r, p.g, p.b}) plane[i] = kept(factor * plane[i] + gray);
  }
}

std::array<float, 3> to_hsv(float r, float g, float b) {
  const float most = std::max({r, g, b}), least = std::min({r, g, b}), range = most - least;
  if (range == 0) return {0, 0, most};
  const float rc = (most - r) / range, gc = (most - g) / range, bc = (most - b) / range;
  const float sixths = most == r ? bc - gc : most == g ? 2 + rc - bc : 4 + gc - rc;
  return {std::fmod(sixths / 6 + 1, 1.0f), range / most, most};
}

std::array<float, 3> to_rgb(float h, float s, float v) {
  const float sector = std::floor(h * 6), f = h * 6 - sector;
  const float p = kept(v * (1 - s)), q = kept(v * (1 - s * f)), t = kept(v * (1 - s * (1 - f)));
  switch (static_cast<int>(sector) % 6) {
    case 0: return {v, t, p};
    case 1: return {q, v, p};
    case 2: return {p, v, t};
    case 3: return {p, q, v};
    case 4: return {t, p, v};
    default: return {v, p, q};
  }
}

void adjust_hue(const Planes& p, float turn) {
  if (!p.colored) return;
  for (size_t i = 0; i < p.count; ++i) {
    const auto [h, s, v] = to_hsv(p.r[i], p.g[i], p.b[i]);
    const float turned = h + turn;
    const auto rgb = to_rgb(turned - std::floor(turned), s, v);
    p.r[i] = rgb[0], p.g[i] = rgb[1], p.b[i] = rgb[2];
  }
}

void check_range(const char* name, const Range& range, double low, double high) {
  if (!(range.first >= low && range.first <= range.second && range.second <= high) || !std::isfinite(range.second))
    throw Error("color_jitter: .{} ({}, {}) lies from {} to {}, from small to large", name, range.first, range.second, low, high);
}

}  // namespace

Transform color_jitter(ColorJitterOptions options) {
  constexpr double any = std::numeric_limits<double>::infinity();
  check_range("brightness", options.brightness, 0, any);
  check_range("contrast", options.contrast, 0, any);
  check_range("saturation", options.saturation, 0, any);
  check_range("hue", options.hue, -0.5, 0.5);
  Transform t{.name = "color_jitter"};
  t.shape = [](const Shape& shape) {
    if (const int64_t channels = detail::image_shape(shape, "color_jitter")[0]; channels != 1 && channels != 3)
      throw Error("color_jitter: a picture has 1 or 3 channels, but an example is {}", to_string(shape));
    return shape;
  };
  t.apply = [options](std::span<const float> from, const Shape& shape, std::span<float> to, Draw& draw) {
    struct Adjustment {
      void (*adjust)(const Planes&, float);
      Range range;
      double none;  // what changes nothing
    };
    std::array<Adjustment, 4> all = {{{adjust_brightness, options.brightness, 1},
                                      {adjust_contrast, options.contrast, 1},
                                      {adjust_saturation, options.saturation, 1},
                                      {adjust_hue, options.hue, 0}}};
    std::copy(from.begin(), from.end(), to.begin());
    const bool colored = shape[0] == 3;
    const size_t count = from.size() / (colored ? 3 : 1), next = colored ? count : 0;
    const Planes planes{to.data(), to.data() + next, to.data() + 2 * next, count, colored};
    for (size_t i = all.size(); i-- > 1;) std::swap(all[i], all[static_cast<size_t>(draw.below(static_cast<int64_t>(i) + 1))]);
    for (const auto& [adjust, range, none] : all) {
      const double factor = detail::between(draw, range);
      if (count > 0 && factor != none) adjust(planes, static_cast<float>(factor));
    }
  };
  return t;
}

}  // namespace weft::transforms
