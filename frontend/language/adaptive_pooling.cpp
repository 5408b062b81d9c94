// Pooling by windows that share x out: of equal extents where these divide x's, else one axis after the other.

#include <algorithm>
#include <numeric>

#include "weft/frontend/language/along_axis.h"
#include "weft/frontend/language/spatial.h"

namespace weft {
namespace {

using detail::batched;
using detail::over;
using detail::Recorder;
using detail::unbatched;
using ir::Value;

/// What output i of `out` looks at, of `in` elements.
struct Window {
  int64_t begin, end;
  Window(int64_t i, int64_t in, int64_t out) : begin(i * in / out), end(((i + 1) * in + out - 1) / out) {}
};

/// The matrix [in, out] whose column i takes the mean of the elements that output i looks at.
Value means(Recorder& r, DType dtype, int64_t in, int64_t out) {
  Array exact(f64, {in, out});
  for (int64_t i = 0; i < out; ++i) {
    const Window window(i, in, out);
    for (int64_t j = window.begin; j < window.end; ++j) exact.set(j * out + i, 1.0 / static_cast<double>(window.end - window.begin));
  }
  const auto* bytes = exact.data();
  const ir::Dense dense({f64, {in, out}}, std::vector<std::byte>(bytes, bytes + exact.bytes()));
  return r.builder.cast(r.builder("constant", {}, {{"value", dense}}), dtype);
}

/// The means along an axis: a product.
Value mean_along(Recorder& r, Value v, int axis, int64_t out) {
  Dims to_last(v.shape().dims().size());
  std::iota(to_last.begin(), to_last.end(), 0);
  std::swap(to_last[static_cast<size_t>(axis)], to_last.back());
  const bool last = axis == v.shape().rank() - 1;
  const auto swapped = [&](Value x) { return last ? x : r.builder("transpose", {x}, {{"permutation", to_last}}); };
  const Value rows = swapped(v);
  const int64_t in = rows.shape()[-1];
  Dims shape = rows.shape().dims();
  const Value flat = r.builder.reshape(rows, Shape{std::accumulate(shape.begin(), shape.end() - 1, int64_t{1}, std::multiplies<>()), in});
  shape.back() = out;
  return swapped(r.builder.reshape(r.builder("matmul", {flat, means(r, v.dtype(), in, out)}), Shape(shape)));
}

/// The largest elements along an axis: of windows that were laid one behind the other, shorter ones with their last element repeated,
/// so that the first of several largest is the same.
Value max_along(Recorder& r, Value v, int axis, int64_t out) {
  const int64_t in = v.shape()[axis];
  int64_t widest = 0;
  for (int64_t i = 0; i < out; ++i) widest = std::max(widest, Window(i, in, out).end - Window(i, in, out).begin);
  Dims places;
  for (int64_t i = 0; i < out; ++i)
    for (int64_t k = 0; k < widest; ++k) places.push_back(std::min(Window(i, in, out).begin + k, Window(i, in, out).end - 1));
  Dims extents(static_cast<size_t>(v.shape().rank() - axis), 1);
  extents[0] = widest;
  return r.builder("max_pool", {detail::taken(r, v, axis, places)}, {{"extents", extents}, {"stride", extents}});
}

Tensor adaptive(Recorder r, int spatial, const Arg& input, const PerAxis& extents, bool largest) {
  auto [x, single] = batched(r, r.value(input), spatial);
  Dims out = over(r, extents, spatial, "the output's extents"), kernel;
  bool divides = true, empty = false;
  for (int d = 0; d < spatial; ++d) {
    int64_t& to = out[static_cast<size_t>(d)];
    const int64_t in = x.shape()[d + 2];
    if (to == -1) to = in;
    if (to < 0) r.fail("the extents must not be negative, but for a -1 for x's own");
    if (in < 1 && to > 0) r.fail("x must have elements to share");
    empty = empty || to == 0;
    if (empty) continue;
    divides = divides && in % to == 0;
    kernel.push_back(in / to);
  }
  if (empty) {
    Dims shape(x.shape().begin(), x.shape().begin() + 2);
    shape.insert(shape.end(), out.begin(), out.end());
    return unbatched(r, r.builder.splat({x.dtype(), Shape(shape)}, 0), single);
  }
  if (divides) return unbatched(r, r.builder(largest ? "max_pool" : "avg_pool", {x}, {{"extents", kernel}, {"stride", kernel}}), single);
  if (!is_floating(x.dtype())) r.fail("x must be floating");
  Dims result(x.shape().begin(), x.shape().begin() + 2);
  result.insert(result.end(), out.begin(), out.end());
  r.shape(result);
  for (int d = 0; d < spatial; ++d) {
    // Of means a matrix of in x out is written down, of largest elements the places of all windows: two elements more than they share.
    const int64_t in = x.shape()[d + 2], to = out[static_cast<size_t>(d)];
    if (to != in && r.shape({largest ? in / to + 2 : in, to}).numel() > detail::most_listed)
      r.fail(fmt::format("{} elements become {}, which is too many where one does not divide the other", in, to));
  }
  // From the last axis on: of several largest elements, the first in row-major order.
  for (int d = spatial; d-- > 0;)
    if (const int64_t to = out[static_cast<size_t>(d)]; to != x.shape()[d + 2])
      x = largest ? max_along(r, x, d + 2, to) : mean_along(r, x, d + 2, to);
  return unbatched(r, x, single);
}

}  // namespace

Tensor adaptive_avg_pool1d(Arg x, PerAxis extents) { return adaptive(Recorder("adaptive_avg_pool1d", {&x}), 1, x, extents, false); }
Tensor adaptive_avg_pool2d(Arg x, PerAxis extents) { return adaptive(Recorder("adaptive_avg_pool2d", {&x}), 2, x, extents, false); }
Tensor adaptive_avg_pool3d(Arg x, PerAxis extents) { return adaptive(Recorder("adaptive_avg_pool3d", {&x}), 3, x, extents, false); }
Tensor adaptive_max_pool1d(Arg x, PerAxis extents) { return adaptive(Recorder("adaptive_max_pool1d", {&x}), 1, x, extents, true); }
Tensor adaptive_max_pool2d(Arg x, PerAxis extents) { return adaptive(Recorder("adaptive_max_pool2d", {&x}), 2, x, extents, true); }
Tensor adaptive_max_pool3d(Arg x, PerAxis extents) { return adaptive(Recorder("adaptive_max_pool3d", {&x}), 3, x, extents, true); }

}  // namespace weft
