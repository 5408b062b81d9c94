#include "weft/support/convolution.h"

#include <algorithm>

namespace weft {
namespace {

/// Are there as many positions along each axis as y has elements?
bool slides(const Convolution& c) {
  const auto is_near = [](int64_t n, int64_t least) { return n >= least && n <= SlidingWindow::most; };
  for (int d = 0; d < c.spatial(); ++d) {
    const SlidingWindow w = c.window(d);
    if (!is_near(w.stride, 1) || !is_near(w.dilation, 1) || !is_near(w.low, -SlidingWindow::most) ||
        !is_near(w.high, -SlidingWindow::most) || !is_near(w.extent, 1) || !is_near(c.x[d + 2], 1) || w.positions(c.x[d + 2]) != c.y[d + 2])
      return false;
  }
  return true;
}

}  // namespace

std::optional<ConvolutionAlgorithm> convolution_algorithm_from_name(std::string_view name) {
  for (const auto algorithm : {ConvolutionAlgorithm::direct, ConvolutionAlgorithm::winograd})
    if (name_of(algorithm) == name) return algorithm;
  return std::nullopt;
}

SlidingWindow Convolution::window(int d) const {
  const auto i = static_cast<size_t>(d);
  return {.extent = w[d + 2], .stride = stride[i], .dilation = dilation[i], .low = low[i], .high = high[i]};
}

double Convolution::flops() const {
  double terms = static_cast<double>(w[1]);
  for (int64_t extent : spatial_extents(w)) terms *= static_cast<double>(extent);
  return 2 * static_cast<double>(y.numel()) * terms;
}

bool is_consistent(const Convolution& c) {
  const auto axes = static_cast<size_t>(std::max(c.spatial(), 0));
  const bool agrees = c.spatial() > 0 && c.w.rank() == c.x.rank() && c.y.rank() == c.x.rank() && c.stride.size() == axes &&
                      c.low.size() == axes && c.high.size() == axes && c.dilation.size() == axes && c.x.numel() > 0 && c.w.numel() > 0 &&
                      c.y.numel() > 0 && c.groups > 0 && c.x[0] == c.y[0] && c.w[0] == c.y[1] && c.w[0] % c.groups == 0 &&
                      c.x[1] == c.w[1] * c.groups;
  return agrees && slides(c);
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
