// Max pooling with the indices of what is largest, and back.

#include <algorithm>
#include <limits>

#include "weft/frontend/language/composed.h"
#include "weft/frontend/language/custom_gradient.h"
#include "weft/frontend/language/ops.h"
#include "weft/frontend/language/spatial.h"
#include "weft/support/sliding_window.h"

namespace weft {
namespace {

using detail::Composed;
using detail::over;

/// The windows of x as a last axis: its positions [n, channels, positions..., offsets].
Tensor windows_last(Composed& c, const Tensor& x, const Dims& kernel, const Dims& stride, const Dims& dilation, const Dims& low,
                    const Dims& high) {
  const auto spatial = static_cast<int64_t>(kernel.size());
  Dims axes, order{0, 1}, shape;
  for (int64_t d = 0; d < spatial; ++d) axes.push_back(2 + d), order.push_back(2 + 2 * d);
  for (int64_t d = 0; d < spatial; ++d) order.push_back(3 + 2 * d);
  const double none = -std::numeric_limits<double>::infinity();
  const Tensor all = c.recorder()(
      "windows", {x.value()},
      {{"axes", axes}, {"extents", kernel}, {"stride", stride}, {"dilation", dilation}, {"low", low}, {"high", high}, {"value", none}});
  const Tensor sorted = permute(all, order);
  shape.assign(sorted.shape().begin(), sorted.shape().begin() + 2 + spatial);
  shape.push_back(-1);
  return reshape(sorted, shape);
}

/// How far max_pool pads behind: so that its positions are these.
Dims padding_behind(const Shape& x, const Shape& y, const Dims& kernel, const Dims& stride, const Dims& dilation, const Dims& low) {
  Dims high;
  for (size_t d = 0; d < kernel.size(); ++d) {
    const int64_t extent = x.dims()[2 + d], positions = y.dims()[2 + d];
    high.push_back(std::max<int64_t>(0, (positions - 1) * stride[d] + dilation[d] * (kernel[d] - 1) + 1 - extent - low[d]));
  }
  return high;
}

using Pool = Tensor (*)(Arg, PerAxis, MaxPoolOptions);

ValuesAndIndices pooled(const char* what, int spatial, Pool pool, const Arg& x, const PerAxis& extents, const MaxPoolOptions& o) {
  Composed c(what, {&x});
  const Tensor given = c.first();
  const Tensor values = pool(given, extents, o);  // which refuses what does not fit
  const bool single = given.dim() == spatial + 1;
  const Tensor all = detach(single ? given.unsqueeze(0) : given), y = single ? values.unsqueeze(0) : values;
  const auto of = [&](const PerAxis& p, const char* name) { return over(c.recorder(), p, spatial, name); };
  Dims kernel = of(extents, "kernel"), low = of(o.padding, "padding");
  const Dims stride = o.stride.empty() ? kernel : of(o.stride, "stride"), dilation = of(o.dilation, "dilation");
  Dims high = padding_behind(all.shape(), y.shape(), kernel, stride, dilation, low);
  for (size_t d = 0; d < kernel.size(); ++d) {
    const SlidingWindow whole_window{.extent = kernel[d], .stride = stride[d], .dilation = dilation[d], .low = low[d], .high = high[d]};
    const SlidingWindow w = whole_window.reaching(all.shape().dims()[2 + d]);
    kernel[d] = w.extent, low[d] = w.low, high[d] = w.high;
  }
  Tensor windows = windows_last(c, all, kernel, stride, dilation, low, high);
  Dims whole(windows.shape().begin(), windows.shape().end() - 1), start(whole.size() + 1, 0), end = windows.shape().dims();
  for (size_t d = 2; d < whole.size(); ++d) end[d] = whole[d] = y.shape().dims()[d];
  if (end != windows.shape().dims()) windows = c.recorder()("slice", {windows.value()}, {{"start", start}, {"end", end}});
  // The offset in its window, then the place along each axis; of a window of -inf alone it may be padding, and x's nearest element counts.
  Tensor offset = argmax(windows, -1), place = zeros(Shape(whole), i64);
  std::vector<Tensor> along(kernel.size());
  for (size_t d = kernel.size(); d-- > 0; offset = floor_divide(offset, kernel[d]))
    along[d] = clamp(iota(Shape(whole), static_cast<int64_t>(2 + d)) * stride[d] + (offset % kernel[d]) * dilation[d] - low[d], 0,
                     all.shape().dims()[2 + d] - 1);
  for (size_t d = 0; d < kernel.size(); ++d) place = place * all.shape().dims()[2 + d] + along[d];
  return {values, single ? place.squeeze(0) : place};
}

Tensor unpooled(const char* what, int spatial, const Arg& x, const Arg& indices, const PerAxis& extents, const MaxUnpoolOptions& o) {
  Composed c(what, {&x, &indices});
  const Tensor given = c.first(), at = c.index(indices);
  c.require(given.dim() == spatial + 1 || given.dim() == spatial + 2,
            fmt::format("x must be [n, channels, {0} spatial axes] or [channels, {0} spatial axes]", spatial));
  c.require(is_floating(given.dtype()), "x must be floating");
  c.require(at.dtype() == i64 && at.shape() == given.shape(), "the indices must be integers, one for each element of x");
  const auto of = [&](const PerAxis& p, const char* name) { return over(c.recorder(), p, spatial, name); };
  const Dims kernel = of(extents, "kernel"), stride = o.stride.empty() ? kernel : of(o.stride, "stride");
  const Dims padding = of(o.padding, "padding");
  for (size_t d = 0; d < kernel.size(); ++d) {
    c.require(kernel[d] >= 1 && stride[d] >= 1 && padding[d] >= 0, "kernel and stride must be positive, and the padding not negative");
    const int64_t largest =
        std::max({kernel[d], stride[d], padding[d], given.shape().dims()[given.shape().dims().size() - kernel.size() + d]});
    c.require(largest <= SlidingWindow::most,
              fmt::format("{} is too large for a kernel, a stride, a padding or an extent: 2^30 is the most", largest));
  }
  Dims shape = given.shape().dims();
  const size_t first = shape.size() - kernel.size();
  int64_t plane = 1, elements = 1, planes = 1;
  c.require(o.output_size.empty() || o.output_size.size() == kernel.size() || o.output_size.size() == shape.size(),
            "output_size must have a number for each spatial axis, or for each axis");
  for (size_t d = 0; d < kernel.size(); ++d) {
    const int64_t usual = (shape[first + d] - 1) * stride[d] - 2 * padding[d] + kernel[d];
    elements *= shape[first + d];
    shape[first + d] = o.output_size.empty() ? usual : o.output_size[o.output_size.size() - kernel.size() + d];
    c.require(shape[first + d] >= 1 && (o.output_size.empty() || std::abs(shape[first + d] - usual) < stride[d]),
              fmt::format("axis {} would have {} elements, which is not within a stride of {}", first + d, shape[first + d], usual));
  }
  plane = c.recorder().shape(Dims(shape.begin() + static_cast<std::ptrdiff_t>(first), shape.end())).numel();
  for (size_t d = 0; d < first; ++d) planes *= shape[d];
  const Tensor places = reshape(at, {planes, elements});
  const Tensor result = custom_gradient(
      {reshape(given, {planes, elements})},
      [&](const Tensor& values) {
        const Tensor sums = scatter_add_along_axis(zeros({planes, plane}, given.dtype()), places, values, 1);
        const Tensor hits = scatter_add_along_axis(zeros({planes, plane}, given.dtype()), places, ones_like(values), 1);
        return sums / maximum(hits, 1);
      },
      [&](const Tensor& g, const Tensor&) { return take_along_axis(g, places, 1); });
  return reshape(result, shape);
}

}  // namespace

ValuesAndIndices max_pool1d_with_indices(Arg x, PerAxis kernel, MaxPoolOptions options) {
  return pooled("max_pool1d_with_indices", 1, max_pool1d, x, kernel, options);
}
ValuesAndIndices max_pool2d_with_indices(Arg x, PerAxis kernel, MaxPoolOptions options) {
  return pooled("max_pool2d_with_indices", 2, max_pool2d, x, kernel, options);
}
ValuesAndIndices max_pool3d_with_indices(Arg x, PerAxis kernel, MaxPoolOptions options) {
  return pooled("max_pool3d_with_indices", 3, max_pool3d, x, kernel, options);
}

Tensor max_unpool1d(Arg x, Arg indices, PerAxis kernel, MaxUnpoolOptions options) {
  return unpooled("max_unpool1d", 1, x, indices, kernel, options);
}
Tensor max_unpool2d(Arg x, Arg indices, PerAxis kernel, MaxUnpoolOptions options) {
  return unpooled("max_unpool2d", 2, x, indices, kernel, options);
}
Tensor max_unpool3d(Arg x, Arg indices, PerAxis kernel, MaxUnpoolOptions options) {
  return unpooled("max_unpool3d", 3, x, indices, kernel, options);
}

}  // namespace weft
