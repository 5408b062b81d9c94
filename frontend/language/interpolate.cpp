// Resizing of images: each axis on its own, as sums of elements at places that are known, times numbers that are known.

#include <algorithm>
#include <cmath>

#include "weft/frontend/language/along_axis.h"
#include "weft/frontend/language/composed.h"
#include "weft/frontend/language/keys_cubic.h"
#include "weft/frontend/language/ops.h"

namespace weft {
namespace {

using detail::Composed;
using detail::Recorder;
using ir::Value;

/// One axis: from `in` elements to `out`. `scale` is the distance of the result's elements in x.
struct Resized {
  int64_t in, out;
  double scale;
  bool align_corners;

  /// Where the i-th element of the result lies, in elements of x.
  double place(int64_t i) const {
    if (align_corners) return static_cast<double>(i) * scale;
    return scale * (static_cast<double>(i) + 0.5) - 0.5;
  }
};

/// What each element of the result adds up: its k-th term is weights[k][i] times the element at places[k][i].
struct Terms {
  std::vector<Dims> places;
  std::vector<std::vector<double>> weights;

  Terms(size_t count, int64_t out)
      : places(count, Dims(static_cast<size_t>(out))), weights(count, std::vector<double>(static_cast<size_t>(out))) {}
  void set(size_t k, int64_t i, int64_t place, double weight) {
    places[k][static_cast<size_t>(i)] = place, weights[k][static_cast<size_t>(i)] = weight;
  }
};

Terms linear_terms(const Resized& axis) {
  Terms terms(2, axis.out);
  for (int64_t i = 0; i < axis.out; ++i) {
    const double at = std::max(axis.place(i), 0.0);
    const auto low = std::min(static_cast<int64_t>(at), axis.in - 1), high = std::min(low + 1, axis.in - 1);
    const double share = std::clamp(at - static_cast<double>(low), 0.0, 1.0);
    terms.set(0, i, low, 1 - share);
    terms.set(1, i, high, share);
  }
  return terms;
}

double keys(double x) {
  x = std::abs(x);
  return x <= 1 ? detail::keys_near(x) : x < 2 ? detail::keys_far(x) : 0;
}

Terms cubic_terms(const Resized& axis) {
  Terms terms(4, axis.out);
  for (int64_t i = 0; i < axis.out; ++i) {
    const double at = axis.place(i), before = std::floor(at);
    for (int64_t k = 0; k < 4; ++k) {
      const double place = before - 1 + static_cast<double>(k);
      terms.set(static_cast<size_t>(k), i, static_cast<int64_t>(std::clamp(place, 0.0, static_cast<double>(axis.in - 1))),
                keys(at - place));
    }
  }
  return terms;
}

Value resized(Recorder& r, Value v, int axis, const Terms& terms) {
  std::optional<ir::Expr> sum;
  for (size_t k = 0; k < terms.places.size(); ++k) {
    const ir::Expr elements{r.builder, detail::taken(r, v, axis, terms.places[k])};
    const Value weights = detail::along(r, terms.weights[k], v.dtype(), axis, v.shape().rank());
    const ir::Expr term = elements * ir::Expr(r.builder, r.builder.broadcast(weights, elements.value().shape()));
    sum = sum ? *sum + term : term;
  }
  return *sum;
}

/// PyTorch finds places in f32.
Dims nearest_places(const Resized& axis, bool exact) {
  const auto scale = static_cast<float>(axis.scale);
  Dims places;
  for (int64_t i = 0; i < axis.out; ++i) {
    const float at = exact ? (static_cast<float>(i) + 0.5f) * scale : static_cast<float>(i) * scale;
    places.push_back(std::min(static_cast<int64_t>(std::floor(at)), axis.in - 1));
  }
  return places;
}

bool is_smooth(const std::string& mode) { return mode.ends_with("linear") || mode.ends_with("cubic"); }

/// The axes, as the options say.
std::vector<Resized> axes_of(Composed& c, const Shape& x, const InterpolateOptions& o) {
  const int spatial = x.rank() - 2;
  const bool by_size = !o.size.empty(), by_factor = !o.scale_factor.each.empty();
  c.require(by_size != by_factor, "needs one of size and scale_factor");
  Dims size;
  try {
    if (by_size) size = o.size.over(spatial, "size");
  } catch (const Error& e) {
    c.fail(e.what());
  }
  const auto& factors = o.scale_factor.each;
  c.require(!by_factor || factors.size() == 1 || std::ssize(factors) == spatial,
            fmt::format("scale_factor needs one number, or {}: one per spatial axis; it has {}", spatial, factors.size()));
  const bool aligned = o.align_corners.value_or(false);
  std::vector<Resized> axes;
  for (int d = 0; d < spatial; ++d) {
    Resized axis{.in = x[d + 2], .out = by_size ? size[static_cast<size_t>(d)] : 0, .scale = 0, .align_corners = aligned};
    const double factor = by_size ? 0 : factors[factors.size() == 1 ? 0 : static_cast<size_t>(d)];
    if (by_factor) {
      const double product = std::floor(static_cast<double>(axis.in) * factor);
      c.require(product >= 1 && product < 0x1p40, fmt::format("the factor {} leaves {} elements of {}", factor, product, axis.in));
      axis.out = static_cast<int64_t>(product);
    }
    c.require(axis.in > 0 && axis.out > 0, fmt::format("the extents must be positive, but {} elements become {}", axis.in, axis.out));
    if (aligned) axis.scale = axis.out > 1 ? static_cast<double>(axis.in - 1) / static_cast<double>(axis.out - 1) : 0;
    else axis.scale = by_factor ? 1 / factor : static_cast<double>(axis.in) / static_cast<double>(axis.out);
    axes.push_back(axis);
  }
  return axes;
}

void check_mode(Composed& c, int spatial, const InterpolateOptions& o) {
  const std::vector<std::string> smooth = spatial == 1   ? std::vector<std::string>{"linear"}
                                          : spatial == 2 ? std::vector<std::string>{"bilinear", "bicubic"}
                                                         : std::vector<std::string>{"trilinear"};
  if (o.mode != "nearest" && o.mode != "nearest-exact" && o.mode != "area" &&
      std::find(smooth.begin(), smooth.end(), o.mode) == smooth.end())
    c.fail(fmt::format("of {} spatial axes, the mode is \"nearest\", \"nearest-exact\", \"area\" or \"{}\", not \"{}\"", spatial,
                       fmt::join(smooth, "\" or \""), o.mode));
  c.require(!o.align_corners || is_smooth(o.mode), "align_corners is for modes that end in \"linear\" or \"cubic\"");
}

Tensor area(const Tensor& x, const std::vector<Resized>& axes) {
  Dims extents;
  for (const Resized& axis : axes) extents.push_back(axis.out);
  return axes.size() == 1   ? adaptive_avg_pool1d(x, PerAxis(extents))
         : axes.size() == 2 ? adaptive_avg_pool2d(x, PerAxis(extents))
                            : adaptive_avg_pool3d(x, PerAxis(extents));
}

}  // namespace

Tensor interpolate(Arg x, InterpolateOptions options) {
  Composed c("interpolate", {&x});
  const Tensor& given = c.first();
  const int rank = given.shape().rank();
  c.require(rank >= 3 && rank <= 5, "x must be [n, channels, spatial...], of one to three spatial axes");
  check_mode(c, rank - 2, options);
  c.require(is_floating(given.dtype()) || options.mode.starts_with("nearest"), "x must be floating for this mode");
  const std::vector<Resized> axes = axes_of(c, given.shape(), options);
  Dims result(given.shape().begin(), given.shape().begin() + 2);
  for (const Resized& axis : axes) {
    result.push_back(axis.out);
    c.require(axis.out <= detail::most_listed, fmt::format("{} elements along an axis are too many: 2^26 are the most", axis.out));
  }
  c.recorder().shape(result);
  if (options.mode == "area") return area(given, axes);
  Value v = Composed::widened(given).value();
  for (int d = 0; d < rank - 2; ++d) {
    const Resized& axis = axes[static_cast<size_t>(d)];
    if (options.mode.starts_with("nearest"))
      v = detail::taken(c.recorder(), v, d + 2, nearest_places(axis, options.mode == "nearest-exact"));
    else v = resized(c.recorder(), v, d + 2, options.mode == "bicubic" ? cubic_terms(axis) : linear_terms(axis));
  }
  return c.recorder().tensor(c.recorder().builder.cast(v, given.dtype()));
}

}  // namespace weft
