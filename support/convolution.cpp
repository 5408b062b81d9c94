#include "weft/support/convolution.h"

namespace weft {

SlidingWindow Convolution::window(int d) const {
  const auto i = static_cast<size_t>(d);
  return {.extent = w[d + 2], .stride = stride[i], .dilation = dilation[i], .low = low[i], .high = high[i]};
}

double Convolution::flops() const {
  double terms = static_cast<double>(w[1]);
  for (int64_t extent : spatial_extents(w)) terms *= static_cast<double>(extent);
  return 2 * static_cast<double>(y.numel()) * terms;
}

Dims spatial_extents(const Shape& shape) { return {shape.begin() + 2, shape.end()}; }

Dims batch_cuts(int64_t batch, int64_t parts) {
  Dims cuts;
  for (int64_t i = 0; i <= parts; ++i) cuts.push_back(batch * i / parts);
  return cuts;
}

std::optional<Convolution> mirrored(const Convolution& c) {
  Convolution m{.groups = c.groups, .stride = c.stride, .low = {}, .high = {}, .dilation = c.dilation, .layouts = {}, .x = c.y, .y = c.x};
  Dims w = c.w.dims();
  w[0] = c.w[1] * c.groups, w[1] = c.w[0] / c.groups;
  m.w = Shape(w);
  for (int d = 0; d < c.spatial(); ++d) {
    const SlidingWindow window = c.window(d), back = window.transposed();
    if (window.stride != 1 || back.low < 0 || back.high < 0) return std::nullopt;
    m.low.push_back(back.low), m.high.push_back(back.high);
  }
  return m;
}

}  // namespace weft
