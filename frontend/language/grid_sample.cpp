// Images where a grid says, and grids of affine maps.

#include <array>

#include "weft/frontend/language/composed.h"
#include "weft/frontend/language/keys_cubic.h"
#include "weft/frontend/language/ops.h"

namespace weft {
namespace {

using detail::Composed;

/// x as rows [n H W, C], and how elements beyond it are found.
struct Image {
  Tensor rows;
  int64_t n, channels, height, width;
  std::string padding;
  bool align_corners;
};

/// A coordinate mirrored at the image's edges until it lies between them.
Tensor reflected(const Tensor& at, int64_t extent, bool align_corners) {
  const double low = align_corners ? 0 : -0.5, span = static_cast<double>(align_corners ? extent - 1 : extent);
  if (span == 0) return zeros_like(at);
  const Tensor away = abs(at - low), rest = fmod(away, span), turns = detach(floor(away / span));
  return select(turns % 2 == 0, rest, span - rest) + low;
}

/// A coordinate where the image has elements, unless what is beyond is 0.
Tensor inside(const Image& image, Tensor at, int64_t extent) {
  if (image.padding == "zeros") return at;
  if (image.padding == "reflection") at = reflected(at, extent, image.align_corners);
  return clamp(at, 0.0, static_cast<double>(extent - 1));
}

/// The elements [n, H', W', C] at whole coordinates [n, H', W'].
Tensor elements(const Image& image, const Tensor& y, const Tensor& x) {
  const double bottom = static_cast<double>(image.height - 1), right = static_cast<double>(image.width - 1);
  const auto place = [](const Tensor& at, double last) { return cast(clamp(detach(at), 0.0, last), i64); };
  const Tensor sample = iota(y.shape(), 0) * (image.height * image.width);
  const Tensor taken = gather(image.rows, sample + place(y, bottom) * image.width + place(x, right));
  if (image.padding != "zeros") return taken;
  const Tensor within = y >= 0.0 && y <= bottom && x >= 0.0 && x <= right;
  return select(unsqueeze(within, -1), taken, zeros_like(taken));
}

/// What sums of neighbours along an axis are made of: whole coordinates and their weights.
struct Neighbours {
  std::vector<Tensor> places, weights;
};

Neighbours linear(const Tensor& at) {
  const Tensor before = detach(floor(at)), share = at - before;
  return {{before, before + 1.0}, {1.0 - share, share}};
}

Neighbours cubic(const Image& image, const Tensor& at, int64_t extent) {
  using detail::keys_far;
  using detail::keys_near;
  const Tensor before = detach(floor(at)), t = at - before;
  Neighbours n{{}, {keys_far(t + 1.0), keys_near(t), keys_near(1.0 - t), keys_far(2.0 - t)}};
  for (double k : {-1.0, 0.0, 1.0, 2.0}) n.places.push_back(inside(image, before + k, extent));
  return n;
}

Tensor weighted(const Image& image, const Neighbours& y, const Neighbours& x) {
  Tensor sum;
  for (size_t i = 0; i < y.places.size(); ++i)
    for (size_t j = 0; j < x.places.size(); ++j) {
      const Tensor term = elements(image, y.places[i], x.places[j]) * unsqueeze(y.weights[i] * x.weights[j], -1);
      sum = i + j == 0 ? term : sum + term;
    }
  return sum;
}

/// From -1 .. 1 to elements.
Tensor unscaled(const Tensor& at, int64_t extent, bool align_corners) {
  const double n = static_cast<double>(extent);
  return align_corners ? (at + 1.0) / 2.0 * (n - 1) : ((at + 1.0) * n - 1.0) / 2.0;
}

}  // namespace

Tensor grid_sample(Arg x, Arg grid, GridSampleOptions options) {
  Composed c("grid_sample", {&x, &grid});
  const Tensor given = c.first(), where = c.tensor(grid);
  const Shape &shape = given.shape(), &at = where.shape();
  c.require(shape.rank() == 4 && at.rank() == 4 && at[0] == shape[0] && at[3] == 2,
            "x must be [n, channels, height, width] and the grid [n, height, width, 2]");
  c.require(is_floating(given.dtype()) && given.dtype() == where.dtype(), "x and the grid must be floating, of one type");
  c.require(shape[1] > 0 && shape[2] > 0 && shape[3] > 0, "x must have elements");
  const std::string &mode = options.mode, &padding = options.padding_mode;
  c.require(mode == "bilinear" || mode == "nearest" || mode == "bicubic",
            "the mode is \"bilinear\", \"nearest\" or \"bicubic\", not \"" + mode + "\"");
  c.require(padding == "zeros" || padding == "border" || padding == "reflection",
            "the padding mode is \"zeros\", \"border\" or \"reflection\", not \"" + padding + "\"");
  const int64_t height = shape[2], width = shape[3];
  const Image image{reshape(permute(Composed::widened(given), {0, 2, 3, 1}), {-1, shape[1]}),
                    shape[0],
                    shape[1],
                    height,
                    width,
                    padding,
                    options.align_corners};
  const auto coordinate = [&](int64_t axis, int64_t extent) {
    const Tensor one = squeeze(slice(Composed::widened(where), 3, axis, axis + 1), 3);
    const Tensor place = unscaled(one, extent, options.align_corners);
    return mode == "bicubic" ? place : inside(image, place, extent);
  };
  const Tensor column = coordinate(0, width), row = coordinate(1, height);
  Tensor y;
  if (mode == "nearest") y = elements(image, round(detach(row)), round(detach(column)));
  else if (mode == "bilinear") y = weighted(image, linear(row), linear(column));
  else y = weighted(image, cubic(image, row, height), cubic(image, column, width));
  return cast(permute(y, {0, 3, 1, 2}), given.dtype());
}

Tensor affine_grid(Arg theta, Dims size, bool align_corners) {
  Composed c("affine_grid", {&theta});
  const Tensor& map = c.first();
  c.require(is_floating(map.dtype()) && map.shape().rank() == 3 && map.shape()[1] == 2 && map.shape()[2] == 3,
            "theta must be floating, [n, 2, 3]");
  c.require(size.size() == 4 && size[0] == map.shape()[0] && size[2] > 0 && size[3] > 0,
            "the size must be [n, channels, height, width], with theta's n, but is " + to_string(size));
  const auto centres = [&](int64_t extent) {
    const double edge = align_corners ? 1 : 1 - 1 / static_cast<double>(extent);
    return extent == 1 && align_corners ? zeros({1}, map.dtype()) : linspace(-edge, edge, extent, map.dtype());
  };
  const int64_t height = size[2], width = size[3];
  const Tensor x = broadcast_to(centres(width), {height, width}), y = broadcast_to(reshape(centres(height), {height, 1}), {height, width});
  const Tensor points = reshape(stack({x, y, ones({height, width}, map.dtype())}, 2), {1, height * width, 3});
  const Tensor grid = matmul(broadcast_to(points, {size[0], height * width, 3}), transpose(map));
  return reshape(grid, {size[0], height, width, 2});
}

}  // namespace weft
