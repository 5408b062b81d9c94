#include "weft/frontend/language/convolution.h"

#include <algorithm>
#include <tuple>

#include "weft/frontend/language/scope.h"
#include "weft/frontend/language/spatial.h"
#include "weft/ir/ops/movements.h"
#include "weft/support/sliding_window.h"

namespace weft {
namespace {

using detail::batched;
using detail::over;
using detail::Recorder;
using detail::unbatched;
using ir::Value;

constexpr int64_t largest = SlidingWindow::most;

size_t index(int d) { return static_cast<size_t>(d); }

Value with_bias(Recorder& r, Value y, const Arg* bias) {
  if (!bias) return y;
  const Value b = r.value(*bias);
  if (b.type() != ir::Type{y.dtype(), {y.shape()[1]}}) r.fail("the bias must be [out], of the weight's element type");
  Dims column(y.shape().dims().size() - 1, 1);
  column[0] = y.shape()[1];
  return r.builder("add", {y, r.builder.broadcast(r.builder.reshape(b, Shape(column)), y.shape())});
}

Tensor convolution(const char* name, Recorder r, int spatial, const Arg& input, const Arg& kernel, const Arg* bias,
                   const ConvolutionOptions& o) {
  const auto [x, single] = batched(r, r.value(input), spatial);
  const Value w = r.value(kernel);
  if (w.shape().rank() != spatial + 2) r.fail(fmt::format("the weight of {} must be [out, in / groups, {} kernel axes]", name, spatial));
  const Dims stride = over(r, o.stride, spatial, "stride"), dilation = over(r, o.dilation, spatial, "dilation");
  Dims low = over(r, o.padding.zeros(), spatial, "padding"), high = low;
  if (o.padding.same())
    for (int d = 0; d < spatial; ++d) {
      if (stride[index(d)] != 1) r.fail("padding \"same\" needs stride 1");
      const SlidingWindow window{.extent = std::max<int64_t>(1, w.shape()[d + 2]), .dilation = dilation[index(d)]};
      if (window.dilation < 1 || window.dilation > largest / std::max<int64_t>(1, window.extent - 1))
        r.fail(fmt::format("the dilation must be positive, and not so large that \"same\" pads by more than 2^30, but is {}",
                           window.dilation));
      std::tie(low[index(d)], high[index(d)]) = window.same_padding();
    }
  const Value y =
      r.builder("convolution", {x, w}, {{"stride", stride}, {"low", low}, {"high", high}, {"dilation", dilation}, {"groups", o.groups}});
  return unbatched(r, with_bias(r, y, bias), single);
}

/// All that the kernel covers from `positions` of it.
int64_t transposed_extent(Recorder& r, int64_t positions, const SlidingWindow& w) {
  if (positions < 1 || w.extent < 1) r.fail("the spatial extents of x and of the weight must be positive");
  constexpr int64_t room = int64_t{1} << 60;  // to add what little is left
  if ((positions - 1) > room / w.stride || (w.extent - 1) > room / w.dilation) r.fail("the result is too large");
  return w.covered(positions);
}

Tensor transposed_convolution(Recorder r, int spatial, const Arg& input, const Arg& kernel, const Arg* bias,
                              const TransposedConvolutionOptions& o) {
  const auto [x, single] = batched(r, r.value(input), spatial);
  const Value w = r.value(kernel);
  if (w.shape().rank() != spatial + 2) r.fail(fmt::format("the weight must be [in, out / groups, {} kernel axes]", spatial));
  // The op is a derivative of a convolution, and would say this of its own operands.
  const int64_t in = w.shape()[0];
  if (o.groups < 1 || in % o.groups) r.fail(fmt::format("groups must be positive and divide the weight's input channels, {}", in));
  if (x.shape()[1] != in) r.fail(fmt::format("x must have the weight's input channels, {}", in));
  const Dims stride = over(r, o.stride, spatial, "stride"), dilation = over(r, o.dilation, spatial, "dilation");
  const Dims padding = over(r, o.padding, spatial, "padding"), more = over(r, o.output_padding, spatial, "output_padding");
  Dims extents, low = padding, high = padding, wanted;
  for (size_t d = 0; d < stride.size(); ++d) {
    if (stride[d] < 1 || dilation[d] < 1) r.fail("stride and dilation must be positive");
    if (padding[d] < 0) r.fail("padding must not be negative");
    if (const int64_t most = std::max({stride[d], dilation[d], padding[d]}); most > largest)
      r.fail(fmt::format("{} is too large for a stride, a padding or a dilation: 2^30 is the most", most));
    if (more[d] < 0 || more[d] >= std::max(stride[d], dilation[d])) r.fail("output_padding must be smaller than stride or dilation");
    const int axis = static_cast<int>(d) + 2;
    const int64_t whole = transposed_extent(r, x.shape()[axis], {.extent = w.shape()[axis], .stride = stride[d], .dilation = dilation[d]});
    wanted.push_back(whole - 2 * padding[d] + more[d]);
    if (wanted.back() < 1) r.fail("the padding leaves nothing of the result");
    extents.push_back(wanted.back());
    // What output_padding adds has no position of its own: the last positions end before it.
    high[d] = std::max<int64_t>(0, high[d] - more[d]);
    // Where it would have: without padding, which comes behind.
    if (more[d] - padding[d] >= stride[d]) extents.back() = whole, low[d] = high[d] = 0;
  }
  Value y =
      r.builder("convolution_data", {x, w},
                {{"extents", extents}, {"stride", stride}, {"low", low}, {"high", high}, {"dilation", dilation}, {"groups", o.groups}});
  for (size_t d = 0; d < stride.size(); ++d)
    if (low[d] != padding[d] || extents[d] != wanted[d])
      y = ir::pad_or_crop(r.builder, y, static_cast<int>(d) + 2, low[d] - padding[d], wanted[d] - extents[d] - low[d] + padding[d]);
  return unbatched(r, with_bias(r, y, bias), single);
}

}  // namespace

Dims PerAxis::over(int spatial, const std::string& what) const {
  if (values_.size() == 1) return Dims(static_cast<size_t>(spatial), values_[0]);
  if (static_cast<int>(values_.size()) != spatial)
    throw Error("{} needs one number, or {}: one per spatial axis; it has {}", what, spatial, values_.size());
  return values_;
}

Padding::Padding(std::string word, std::source_location at) : same_(word == "same") {
  if (word != "same" && word != "valid")
    throw Error("the padding is numbers, \"same\" or \"valid\", not \"{}\"", word).at(detail::line_text(at));
}

Tensor conv1d(Arg x, Arg weight, ConvolutionOptions options) {
  return convolution("conv1d", Recorder("conv1d", {&x, &weight}), 1, x, weight, nullptr, options);
}
Tensor conv1d(Arg x, Arg weight, Arg bias, ConvolutionOptions options) {
  return convolution("conv1d", Recorder("conv1d", {&x, &weight, &bias}), 1, x, weight, &bias, options);
}
Tensor conv2d(Arg x, Arg weight, ConvolutionOptions options) {
  return convolution("conv2d", Recorder("conv2d", {&x, &weight}), 2, x, weight, nullptr, options);
}
Tensor conv2d(Arg x, Arg weight, Arg bias, ConvolutionOptions options) {
  return convolution("conv2d", Recorder("conv2d", {&x, &weight, &bias}), 2, x, weight, &bias, options);
}
Tensor conv3d(Arg x, Arg weight, ConvolutionOptions options) {
  return convolution("conv3d", Recorder("conv3d", {&x, &weight}), 3, x, weight, nullptr, options);
}
Tensor conv3d(Arg x, Arg weight, Arg bias, ConvolutionOptions options) {
  return convolution("conv3d", Recorder("conv3d", {&x, &weight, &bias}), 3, x, weight, &bias, options);
}
Tensor conv_transpose1d(Arg x, Arg weight, TransposedConvolutionOptions options) {
  return transposed_convolution(Recorder("conv_transpose1d", {&x, &weight}), 1, x, weight, nullptr, options);
}
Tensor conv_transpose1d(Arg x, Arg weight, Arg bias, TransposedConvolutionOptions options) {
  return transposed_convolution(Recorder("conv_transpose1d", {&x, &weight, &bias}), 1, x, weight, &bias, options);
}
Tensor conv_transpose2d(Arg x, Arg weight, TransposedConvolutionOptions options) {
  return transposed_convolution(Recorder("conv_transpose2d", {&x, &weight}), 2, x, weight, nullptr, options);
}
Tensor conv_transpose2d(Arg x, Arg weight, Arg bias, TransposedConvolutionOptions options) {
  return transposed_convolution(Recorder("conv_transpose2d", {&x, &weight, &bias}), 2, x, weight, &bias, options);
}
Tensor conv_transpose3d(Arg x, Arg weight, TransposedConvolutionOptions options) {
  return transposed_convolution(Recorder("conv_transpose3d", {&x, &weight}), 3, x, weight, nullptr, options);
}
Tensor conv_transpose3d(Arg x, Arg weight, Arg bias, TransposedConvolutionOptions options) {
  return transposed_convolution(Recorder("conv_transpose3d", {&x, &weight, &bias}), 3, x, weight, &bias, options);
}

}  // namespace weft
