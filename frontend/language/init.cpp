#include "weft/frontend/language/init.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "weft/frontend/language/defaults.h"

namespace weft::init {
namespace {

void require(bool holds, const char* what, const std::string& requirement) {
  if (!holds) throw Error("init::{}: {}", what, requirement);
}

Array& floating(Values values, const char* what) {
  require(is_floating(values.array().dtype()), what, fmt::format("the elements must be floating, not {}", name_of(values.array().dtype())));
  return values.array();
}

/// The inverse of erf on (-1, 1): Winitzki's approximation (2008), good to 2e-3, and Newton's steps.
double inverse_erf(double y) {
  const double a = 0.147, l = std::log1p(-y * y), t = 2 / (std::numbers::pi * a) + l / 2;
  double x = std::copysign(std::sqrt(std::sqrt(t * t - l / a) - t), y);
  for (int i = 0; i < 4; ++i) x -= (std::erf(x) - y) / (2 * std::numbers::inv_sqrtpi * std::exp(-x * x));
  return x;
}

double kaiming_std(const Array& array, const KaimingOptions& options, const char* what) {
  require(options.mode == "fan_in" || options.mode == "fan_out", what,
          "the mode is \"fan_in\" or \"fan_out\", not \"" + options.mode + "\"");
  const Fans f = fans(array.shape());
  return calculate_gain(options.nonlinearity, options.a) / std::sqrt(options.mode == "fan_in" ? f.in : f.out);
}

using Vector = std::vector<double>;

double dot(const Vector& a, const Vector& b) {
  double total = 0;
  for (size_t i = 0; i < a.size(); ++i) total += a[i] * b[i];
  return total;
}

/// Makes the vectors orthonormal, one after the other, by Gram and Schmidt; twice, which is enough for all digits. The
/// result is that of a QR decomposition whose R has a positive diagonal, and so uniformly distributed.
void orthonormalize(std::vector<Vector>& vectors) {
  for (size_t i = 0; i < vectors.size(); ++i) {
    for (int pass = 0; pass < 2; ++pass)
      for (size_t j = 0; j < i; ++j) {
        const double along = dot(vectors[i], vectors[j]);
        for (size_t k = 0; k < vectors[i].size(); ++k) vectors[i][k] -= along * vectors[j][k];
      }
    const double length = std::sqrt(dot(vectors[i], vectors[i]));
    for (double& x : vectors[i]) x /= length;
  }
}

}  // namespace

void uniform(Values values, double low, double high) { fill_uniform(floating(values, "uniform"), low, high); }

void normal(Values values, double mean, double std) { fill_normal(floating(values, "normal"), mean, std); }

void trunc_normal(Values values, double mean, double std, double low, double high) {
  const FloatMode mode;
  Array& array = floating(values, "trunc_normal");
  require(low < high && std > 0, "trunc_normal", fmt::format("needs low < high and std > 0; given {}, {}, {}", low, high, std));
  // The middle of each of 2^24 equal parts of the distribution function between the bounds, inverted.
  const double scale = std * std::numbers::sqrt2, from = std::erf((low - mean) / scale), to = std::erf((high - mean) / scale);
  Array drawn(f64, array.shape());
  fill_uniform(drawn, 0x1p-25, 1 + 0x1p-25);
  for (int64_t i = 0; i < array.shape().numel(); ++i)
    array.set(i, std::clamp(mean + scale * inverse_erf(from + (to - from) * drawn.at(i)), low, high));
}

void constant(Values values, double value) {
  fill(values, [value](int64_t) { return value; });
}

Fans fans(const Shape& shape) {
  if (shape.rank() < 2) throw Error("init::fans: a weight needs at least two axes, [out, in, ...]; given {}", to_string(shape));
  double receptive = 1;
  for (int axis = 2; axis < shape.rank(); ++axis) receptive *= static_cast<double>(shape[axis]);
  return {static_cast<double>(shape[1]) * receptive, static_cast<double>(shape[0]) * receptive};
}

double calculate_gain(std::string_view nonlinearity, std::optional<double> param) {
  for (const char* one : {"linear", "sigmoid", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"})
    if (nonlinearity == one) return 1;
  if (nonlinearity == "tanh") return 5.0 / 3;
  if (nonlinearity == "relu") return std::numbers::sqrt2;
  if (nonlinearity == "leaky_relu") return std::sqrt(2 / (1 + std::pow(param.value_or(0.01), 2)));
  if (nonlinearity == "selu") return 0.75;
  throw Error("init::calculate_gain: no gain is known for \"{}\" (linear, conv1d ..., sigmoid, tanh, relu, leaky_relu, selu)",
              nonlinearity);
}

void xavier_uniform(Values values, double gain) {
  const FloatMode mode;
  const Fans f = fans(values.array().shape());
  const double bound = gain * std::sqrt(6 / (f.in + f.out));
  fill_uniform(floating(values, "xavier_uniform"), -bound, bound);
}

void xavier_normal(Values values, double gain) {
  const FloatMode mode;
  const Fans f = fans(values.array().shape());
  fill_normal(floating(values, "xavier_normal"), 0, gain * std::sqrt(2 / (f.in + f.out)));
}

void kaiming_uniform(Values values, KaimingOptions options) {
  const FloatMode mode;
  const double bound = std::numbers::sqrt3 * kaiming_std(values.array(), options, "kaiming_uniform");
  fill_uniform(floating(values, "kaiming_uniform"), -bound, bound);
}

void kaiming_normal(Values values, KaimingOptions options) {
  const FloatMode mode;
  fill_normal(floating(values, "kaiming_normal"), 0, kaiming_std(values.array(), options, "kaiming_normal"));
}

void orthogonal(Values values, double gain) {
  const FloatMode mode;
  Array& array = floating(values, "orthogonal");
  require(array.shape().rank() >= 2, "orthogonal", "a matrix needs at least two axes; given " + to_string(array.shape()));
  if (array.shape().numel() == 0) return;
  const int64_t rows = array.shape()[0], columns = array.shape().numel() / rows;
  Array drawn(f64, array.shape());
  fill_normal(drawn, 0, 1);
  const bool wide = rows < columns;
  const auto fewer = static_cast<size_t>(std::min(rows, columns)), more = static_cast<size_t>(std::max(rows, columns));
  std::vector<Vector> vectors(fewer, Vector(more));
  const auto element = [&](int64_t row, int64_t column) -> double& {
    const auto r = static_cast<size_t>(row), c = static_cast<size_t>(column);
    return wide ? vectors[r][c] : vectors[c][r];
  };
  for (int64_t i = 0; i < rows * columns; ++i) element(i / columns, i % columns) = drawn.at(i);
  orthonormalize(vectors);
  for (int64_t i = 0; i < rows * columns; ++i) array.set(i, gain * element(i / columns, i % columns));
}

}  // namespace weft::init
