// Pooling by windows that slide along the spatial axes.

#include <algorithm>

#include "weft/frontend/language/spatial.h"
#include "weft/support/sliding_window.h"

namespace weft {
namespace {

using detail::batched;
using detail::over;
using detail::Recorder;
using detail::unbatched;
using ir::Value;

constexpr int64_t largest = SlidingWindow::most;

/// Padding after x, of which the last part, that only ceil_mode needs, is given apart.
struct PoolPadding {
  Dims low, high, uncounted;
};

PoolPadding pool_padding(Recorder& r, Value x, const Dims& kernel, const Dims& stride, const Dims& dilation, const Dims& padding,
                         bool ceil_mode) {
  PoolPadding p{padding, padding, Dims(kernel.size(), 0)};
  const int first = x.shape().rank() - static_cast<int>(kernel.size());
  for (size_t d = 0; d < kernel.size(); ++d) {
    if (kernel[d] < 1 || stride[d] < 1 || dilation[d] < 1) r.fail("kernel, stride and dilation must be positive");
    if (padding[d] < 0 || padding[d] > kernel[d] / 2) r.fail("the padding must not be negative nor more than half the kernel");
    if (const int64_t most = std::max({kernel[d], stride[d], dilation[d]}); most > largest)
      r.fail(fmt::format("{} is too large for a kernel, a stride or a dilation: 2^30 is the most", most));
    const int64_t extent = x.shape()[first + static_cast<int>(d)];
    if (extent < 1) r.fail("the spatial extents of x must be positive");
    if (!ceil_mode) continue;
    const SlidingWindow w{.extent = kernel[d], .stride = stride[d], .dilation = dilation[d], .low = padding[d], .high = padding[d]};
    p.uncounted[d] = w.missing(extent);
    p.high[d] += p.uncounted[d];
  }
  return p;
}

Tensor max_pool(Recorder r, int spatial, const Arg& input, const PerAxis& extents, const MaxPoolOptions& o) {
  const auto [x, single] = batched(r, r.value(input), spatial);
  const Dims kernel = over(r, extents, spatial, "kernel"), stride = o.stride.empty() ? kernel : over(r, o.stride, spatial, "stride");
  const Dims dilation = over(r, o.dilation, spatial, "dilation");
  const PoolPadding p = pool_padding(r, x, kernel, stride, dilation, over(r, o.padding, spatial, "padding"), o.ceil_mode);
  const Value y =
      r.builder("max_pool", {x}, {{"extents", kernel}, {"stride", stride}, {"dilation", dilation}, {"low", p.low}, {"high", p.high}});
  return unbatched(r, y, single);
}

Tensor avg_pool(Recorder r, int spatial, const Arg& input, const PerAxis& extents, const AvgPoolOptions& o) {
  const auto [x, single] = batched(r, r.value(input), spatial);
  const Dims kernel = over(r, extents, spatial, "kernel"), stride = o.stride.empty() ? kernel : over(r, o.stride, spatial, "stride");
  const PoolPadding p = pool_padding(r, x, kernel, stride, Dims(kernel.size(), 1), over(r, o.padding, spatial, "padding"), o.ceil_mode);
  const Value y = r.builder("avg_pool", {x},
                            {{"extents", kernel},
                             {"stride", stride},
                             {"low", p.low},
                             {"high", p.high},
                             {"uncounted", p.uncounted},
                             {"count_padding", o.count_include_pad},
                             {"divisor", o.divisor_override}});
  return unbatched(r, y, single);
}

}  // namespace

Tensor max_pool1d(Arg x, PerAxis kernel, MaxPoolOptions options) { return max_pool(Recorder("max_pool1d", {&x}), 1, x, kernel, options); }
Tensor max_pool2d(Arg x, PerAxis kernel, MaxPoolOptions options) { return max_pool(Recorder("max_pool2d", {&x}), 2, x, kernel, options); }
Tensor max_pool3d(Arg x, PerAxis kernel, MaxPoolOptions options) { return max_pool(Recorder("max_pool3d", {&x}), 3, x, kernel, options); }
Tensor avg_pool1d(Arg x, PerAxis kernel, AvgPoolOptions options) { return avg_pool(Recorder("avg_pool1d", {&x}), 1, x, kernel, options); }
Tensor avg_pool2d(Arg x, PerAxis kernel, AvgPoolOptions options) { return avg_pool(Recorder("avg_pool2d", {&x}), 2, x, kernel, options); }
Tensor avg_pool3d(Arg x, PerAxis kernel, AvgPoolOptions options) { return avg_pool(Recorder("avg_pool3d", {&x}), 3, x, kernel, options); }

}  // namespace weft
