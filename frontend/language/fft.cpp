#include "weft/frontend/language/fft.h"

#include <cmath>
#include <numbers>

#include "weft/frontend/language/composed.h"
#include "weft/frontend/language/ops.h"
#include "weft/runtime/float_mode.h"

namespace weft::fft {
namespace {

using weft::detail::Composed;

/// cos(2 pi k / n), exact where it is 0, 1 or -1.
double cosine(int64_t k, int64_t n) {
  const int64_t quarters = 4 * (k % n);  // of which a whole turn has 4 n
  if (quarters == n || quarters == 3 * n) return 0;
  if (quarters == 0 || quarters == 2 * n) return quarters == 0 ? 1 : -1;
  return std::cos(std::numbers::pi * static_cast<double>(quarters) / static_cast<double>(2 * n));
}
/// sin(2 pi k / n), exact where it is 0, 1 or -1.
double sine(int64_t k, int64_t n) {
  const int64_t quarters = 4 * (k % n);
  if (quarters == 0 || quarters == 2 * n) return 0;
  if (quarters == n || quarters == 3 * n) return quarters == n ? 1 : -1;
  return std::sin(std::numbers::pi * static_cast<double>(quarters) / static_cast<double>(2 * n));
}

/// One transform: what it refuses, its operand in the type that it is computed in, and the factor of its norm.
struct Transform {
  Transform(const char* what, const Arg& given, const Options& options, bool complex, bool inverse)
      : c(what, {&given}), dtype(c.first().dtype()) {
    c.require(is_floating(dtype), "x must be floating");
    c.require(c.first().dim() >= (complex ? 2 : 1) && (!complex || c.first().size(-1) == 2),
              complex ? "x must be [..., n, 2], real and imaginary parts" : "x must be [..., n]");
    c.require(options.norm == "backward" || options.norm == "forward" || options.norm == "ortho",
              "the norm must be \"backward\", \"forward\" or \"ortho\"");
    divided_by = options.norm == "ortho" ? 0.5 : (options.norm == "backward") == inverse ? 1 : 0;
    x = cast(c.first(), computed_in(dtype));
  }

  /// How many points are transformed.
  void set_points(int64_t points) {
    n = points;
    c.require(n >= 1, fmt::format("there must be at least one point, not {}", n));
    c.require(n <= longest,
              fmt::format("{} points are too many: a transform is a product with a matrix of n x n numbers, made up to n = {}; "
                          "transform x in windows, or before it is fed",
                          n, longest));
  }
  /// x with so many elements along the axis, which counts from the end: cut, or with zeros behind.
  void resize(int64_t axis, int64_t count) {
    const int64_t have = x.size(axis);
    if (have > count) x = slice(x, axis, 0, count);
    if (have >= count) return;
    Dims none(static_cast<size_t>(x.dim()), 0), high = none;
    high[static_cast<size_t>(x.dim() + axis)] = count - have;
    x = pad(x, none, high);
  }
  /// Rows times the matrix of element(row, column), scaled by the norm.
  template <class Element>
  Tensor product(const Tensor& rows, int64_t columns, Element element) const {
    const FloatMode mode;
    const double factor = std::pow(static_cast<double>(n), -divided_by);
    Array matrix(x.dtype(), {rows.size(-1), columns});
    matrix.generate([&](int64_t i) { return factor * element(i / columns, i % columns); });
    return matmul(rows, constant(matrix));
  }
  Tensor finished(const Tensor& y) const { return cast(y, dtype); }

  Composed c;
  DType dtype;
  double divided_by = 0;  // a power of n
  Tensor x = {};
  int64_t n = 0;
};

/// The axes of x with the last `count` replaced by these.
Dims with_last(const Tensor& x, size_t count, const Dims& last) {
  Dims shape = x.shape().dims();
  shape.resize(shape.size() - count);
  shape.insert(shape.end(), last.begin(), last.end());
  return shape;
}

/// Real and imaginary parts, each times the matrix of cosines and sines, then together.
Tensor of_complex(const char* what, const Arg& given, const Options& options, bool inverse) {
  Transform t(what, given, options, true, inverse);
  t.set_points(options.n.value_or(t.c.first().size(-2)));
  t.resize(-2, t.n);
  const double sign = inverse ? 1 : -1;
  const Tensor parts = t.product(t.x.transpose(-2, -1), 2 * t.n, [&](int64_t j, int64_t column) {
    const int64_t turns = j * (column / 2) % t.n;
    return column % 2 == 0 ? cosine(turns, t.n) : sign * sine(turns, t.n);
  });
  const Tensor both = reshape(parts, with_last(t.x, 2, {2, t.n, 2}));  // of the real part, of the imaginary one
  const Tensor of_real = slice(both, -3, 0, 1), of_imaginary = slice(both, -3, 1, 2);
  const auto part = [](const Tensor& x, int64_t i) { return slice(x, -1, i, i + 1); };
  const Tensor y = concat({part(of_real, 0) - part(of_imaginary, 1), part(of_real, 1) + part(of_imaginary, 0)}, -1);
  return t.finished(reshape(y, with_last(t.x, 2, {t.n, 2})));
}

}  // namespace

Tensor fft(Arg x, Options options) { return of_complex("fft::fft", x, options, false); }
Tensor ifft(Arg x, Options options) { return of_complex("fft::ifft", x, options, true); }

Tensor rfft(Arg x, Options options) {
  Transform t("fft::rfft", x, options, false, false);
  t.set_points(options.n.value_or(t.x.size(-1)));
  t.resize(-1, t.n);
  const int64_t half = t.n / 2 + 1;
  const Tensor y = t.product(t.x, 2 * half, [&](int64_t j, int64_t column) {
    const int64_t turns = j * (column / 2) % t.n;
    return column % 2 == 0 ? cosine(turns, t.n) : -sine(turns, t.n);
  });
  return t.finished(reshape(y, with_last(t.x, 1, {half, 2})));
}

Tensor irfft(Arg x, Options options) {
  Transform t("fft::irfft", x, options, true, true);
  t.set_points(options.n.value_or(2 * (t.x.size(-2) - 1)));
  const int64_t half = t.n / 2 + 1;
  t.resize(-2, half);
  const Tensor y = t.product(reshape(t.x, with_last(t.x, 2, {2 * half})), t.n, [&](int64_t row, int64_t j) {
    const int64_t k = row / 2, turns = j * k % t.n;
    const double times = k == 0 || 2 * k == t.n ? 1 : 2;  // the others stand for their conjugates too
    return row % 2 == 0 ? times * cosine(turns, t.n) : -times * sine(turns, t.n);
  });
  return t.finished(y);
}

}  // namespace weft::fft
