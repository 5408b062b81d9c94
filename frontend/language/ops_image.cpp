// Ops on images that only move elements, and sums of what they moved.

#include "weft/frontend/language/ops_image.h"

#include <algorithm>

#include "weft/frontend/language/recorder.h"
#include "weft/frontend/language/spatial.h"
#include "weft/ir/ops/movements.h"
#include "weft/support/sliding_window.h"

namespace weft {
namespace {

using detail::Recorder;
using ir::Value;

Value transposed(Recorder& r, Value v, const Dims& permutation) { return r.builder("transpose", {v}, {{"permutation", permutation}}); }

/// x's last three axes apart, the others joined, and the others.
std::pair<Value, Dims> images(Recorder& r, const Arg& x) {
  const Value v = r.value(x);
  if (v.shape().rank() < 3) r.fail("x must be [..., channels, height, width]");
  Dims before(v.shape().begin(), v.shape().end() - 3);
  int64_t count = 1;
  for (int64_t extent : before) count *= extent;
  return {r.builder.reshape(v, Shape{count, v.shape()[-3], v.shape()[-2], v.shape()[-1]}), before};
}

Tensor with(Recorder& r, Value v, Dims before, const Dims& image) {
  before.insert(before.end(), image.begin(), image.end());
  return r.tensor(r.builder.reshape(v, Shape(before)));
}

/// The windows along height and width, from the options.
std::vector<SlidingWindow> windows_of(Recorder& r, const PerAxis& kernel, const UnfoldOptions& o) {
  const auto numbers = [&](const PerAxis& values, const char* what) { return detail::over(r, values, 2, what); };
  const Dims extents = numbers(kernel, "kernel"), dilation = numbers(o.dilation, "dilation"), padding = numbers(o.padding, "padding"),
             stride = numbers(o.stride, "stride");
  std::vector<SlidingWindow> all;
  for (size_t d = 0; d < 2; ++d) {
    if (extents[d] < 1 || dilation[d] < 1 || stride[d] < 1) r.fail("kernel, dilation and stride must be positive");
    if (padding[d] < 0) r.fail("the padding must not be negative");
    if (const int64_t largest = std::max({extents[d], dilation[d], stride[d], padding[d]}); largest > SlidingWindow::most)
      r.fail(fmt::format("{} is too large for a kernel, a dilation, a stride or a padding: 2^30 is the most", largest));
    all.push_back({.extent = extents[d], .stride = stride[d], .dilation = dilation[d], .low = padding[d], .high = padding[d]});
  }
  return all;
}

int64_t positions(Recorder& r, const SlidingWindow& w, int64_t extent) {
  const int64_t count = extent < 1 ? 0 : w.positions(extent);
  if (count < 1) r.fail(fmt::format("the kernel of {} does not fit into {} with padding {} and {}", w.extent, extent, w.low, w.high));
  return count;
}

/// [..., extent of a window, positions] at the axis, added up to [..., extent].
Value laid(Recorder& r, Value v, int axis, const SlidingWindow& w, int64_t extent) {
  const auto a = static_cast<size_t>(axis);
  Dims joined = v.shape().dims();
  joined.erase(joined.begin() + axis);
  Value sum;
  for (int64_t k = 0; k < w.extent; ++k) {
    Dims start(v.shape().dims().size(), 0), end = v.shape().dims();
    start[a] = k, end[a] = k + 1;
    const Value taken = r.builder.reshape(r.builder("slice", {v}, {{"start", start}, {"end", end}}), Shape(joined));
    const Value apart = ir::pad_interior(r.builder, taken, axis, w.stride);
    const int64_t first = w.element(0, k);
    const Value part = ir::pad_or_crop(r.builder, apart, axis, first, extent - first - apart.shape()[axis]);
    sum = sum ? r.builder("add", {sum, part}) : part;
  }
  return sum;
}

}  // namespace

Tensor pixel_shuffle(Arg x, int64_t upscale_factor) {
  Recorder r("pixel_shuffle", {&x});
  const auto [v, before] = images(r, x);
  const int64_t f = upscale_factor, channels = v.shape()[1], height = v.shape()[2], width = v.shape()[3];
  if (f < 1 || f > SlidingWindow::most || channels % (f * f) != 0)
    r.fail(fmt::format("the factor {} must be positive, and its square divide the {} channels", f, channels));
  const Value cut = r.builder.reshape(v, Shape{v.shape()[0], channels / (f * f), f, f, height, width});
  return with(r, transposed(r, cut, {0, 1, 4, 2, 5, 3}), before, {channels / (f * f), height * f, width * f});
}

Tensor pixel_unshuffle(Arg x, int64_t downscale_factor) {
  Recorder r("pixel_unshuffle", {&x});
  const auto [v, before] = images(r, x);
  const int64_t f = downscale_factor, channels = v.shape()[1], height = v.shape()[2], width = v.shape()[3];
  if (f < 1 || f > SlidingWindow::most || height % f != 0 || width % f != 0)
    r.fail(fmt::format("the factor {} must be positive, and divide height and width", f));
  const Value cut = r.builder.reshape(v, Shape{v.shape()[0], channels, height / f, f, width / f, f});
  return with(r, transposed(r, cut, {0, 1, 3, 5, 2, 4}), before, {channels * f * f, height / f, width / f});
}

Tensor channel_shuffle(Arg x, int64_t groups) {
  Recorder r("channel_shuffle", {&x});
  const Value v = r.value(x);
  if (v.shape().rank() < 3) r.fail("x must be [n, channels, ...]");
  if (groups < 1 || v.shape()[1] % groups != 0) r.fail(fmt::format("the {} groups must divide the {} channels", groups, v.shape()[1]));
  const int64_t n = v.shape()[0], channels = v.shape()[1], rest = n * channels == 0 ? 0 : v.shape().numel() / (n * channels);
  const Value cut = r.builder.reshape(v, Shape{n, groups, channels / groups, rest});
  return r.tensor(r.builder.reshape(transposed(r, cut, {0, 2, 1, 3}), v.shape()));
}

Tensor unfold(Arg x, PerAxis kernel, UnfoldOptions options) {
  Recorder r("unfold", {&x});
  const auto [v, single] = detail::batched(r, r.value(x), 2);
  const std::vector<SlidingWindow> w = windows_of(r, kernel, options);
  const int64_t rows = positions(r, w[0], v.shape()[2]), columns = positions(r, w[1], v.shape()[3]);
  const auto each = [&](int64_t SlidingWindow::* member) { return Dims{w[0].*member, w[1].*member}; };
  const Value cut = r.builder("windows", {v},
                              {{"axes", Dims{2, 3}},
                               {"extents", each(&SlidingWindow::extent)},
                               {"stride", each(&SlidingWindow::stride)},
                               {"dilation", each(&SlidingWindow::dilation)},
                               {"low", each(&SlidingWindow::low)},
                               {"high", each(&SlidingWindow::high)}});
  // [n, C, rows, kernel, columns, kernel] -> [n, C, kernel, kernel, rows, columns]
  const Value ordered = transposed(r, cut, {0, 1, 3, 5, 2, 4});
  const int64_t elements = v.shape()[1] * w[0].extent * w[1].extent;
  return detail::unbatched(r, r.builder.reshape(ordered, Shape{v.shape()[0], elements, rows * columns}), single);
}

Tensor fold(Arg x, PerAxis size, PerAxis kernel, UnfoldOptions options) {
  Recorder r("fold", {&x});
  Value v = r.value(x);
  const bool single = v.shape().rank() == 2;
  if (!single && v.shape().rank() != 3) r.fail("x must be [n, channels * kernel elements, windows], or that without n");
  if (single) v = r.builder.reshape(v, Shape{1, v.shape()[0], v.shape()[1]});
  const std::vector<SlidingWindow> w = windows_of(r, kernel, options);
  const Dims image = detail::over(r, size, 2, "size");
  const int64_t rows = positions(r, w[0], image[0]), columns = positions(r, w[1], image[1]), elements = w[0].extent * w[1].extent;
  if (v.shape()[1] % elements != 0 || v.shape()[2] != r.shape({rows, columns}).numel())
    r.fail(fmt::format("x must have a multiple of {} elements in each of {} * {} windows", elements, rows, columns));
  v = r.builder.reshape(v, Shape{v.shape()[0], v.shape()[1] / elements, w[0].extent, w[1].extent, rows, columns});
  v = transposed(r, v, {0, 1, 2, 4, 3, 5});
  return detail::unbatched(r, laid(r, laid(r, v, 4, w[1], image[1]), 2, w[0], image[0]), single);
}

}  // namespace weft
