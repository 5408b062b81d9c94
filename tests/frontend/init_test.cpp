// Initialization: bounds and deviations by PyTorch's formulas, distributions, and that the seed decides.

#include <algorithm>
#include <cmath>
#include <numbers>

#include "weft/tests/frontend/support.h"

using namespace weft;

namespace {

std::vector<double> numbers(const Array& array) {
  std::vector<double> all;
  for (int64_t i = 0; i < array.shape().numel(); ++i) all.push_back(array.at(i));
  return all;
}

double mean_of(const std::vector<double>& v) {
  double total = 0;
  for (double x : v) total += x;
  return total / static_cast<double>(v.size());
}

double std_of(const std::vector<double>& v) {
  double total = 0;
  for (double x : v) total += (x - mean_of(v)) * (x - mean_of(v));
  return std::sqrt(total / static_cast<double>(v.size()));
}

double normal_cdf(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

/// Kolmogorov and Smirnov: the largest distance from the distribution function, in units of 1 / sqrt(n). Above 1.95 once in a
/// thousand samples.
template <class Cdf>
double distance(std::vector<double> v, Cdf cdf) {
  std::sort(v.begin(), v.end());
  const double n = static_cast<double>(v.size());
  double most = 0;
  for (size_t i = 0; i < v.size(); ++i) {
    const double at = cdf(v[i]), below = static_cast<double>(i) / n;
    most = std::max({most, std::abs(at - below), std::abs(at - below - 1 / n)});
  }
  return most * std::sqrt(n);
}

template <class Fill>
std::vector<double> drawn(Fill fill, Shape shape = {100, 200}, DType dtype = f64) {
  Array array(dtype, std::move(shape));
  fill(array);
  return numbers(array);
}

void check_uniform(const std::vector<double>& v, double bound) {
  CHECK(distance(v, [&](double x) { return (x + bound) / (2 * bound); }) < 1.95);
  CHECK(*std::max_element(v.begin(), v.end()) <= bound);
  CHECK(*std::min_element(v.begin(), v.end()) >= -bound);
}

void check_normal(const std::vector<double>& v, double std) {
  CHECK(distance(v, [&](double x) { return normal_cdf(x / std); }) < 1.95);
  CHECK(std_of(v) == Approx(std).epsilon(4 / std::sqrt(2.0 * static_cast<double>(v.size()))));
}

}  // namespace

TEST_CASE("uniform, normal and their truncated kin have their distributions") {
  manual_seed(3);
  const auto u = drawn([](Array& a) { init::uniform(a, -2, 6); });
  CHECK(distance(u, [](double x) { return (x + 2) / 8; }) < 1.95);
  const auto n = drawn([](Array& a) { init::normal(a, 5, 0.25); });
  CHECK(distance(n, [](double x) { return normal_cdf((x - 5) / 0.25); }) < 1.95);
  const auto t = drawn([](Array& a) { init::trunc_normal(a, 0.5, 2, -1, 3.5); });
  const double from = normal_cdf(-0.75), to = normal_cdf(1.5);
  CHECK(distance(t, [&](double x) { return (normal_cdf((x - 0.5) / 2) - from) / (to - from); }) < 1.95);
  CHECK(*std::min_element(t.begin(), t.end()) >= -1);
  CHECK(*std::max_element(t.begin(), t.end()) <= 3.5);
  // Elements do not depend on their neighbours.
  double together = 0;
  for (size_t i = 1; i < n.size(); ++i) together += (n[i] - 5) * (n[i - 1] - 5) / (0.25 * 0.25);
  CHECK(std::abs(together) < 4 * std::sqrt(static_cast<double>(n.size())));
}

TEST_CASE("gains are PyTorch's") {
  CHECK(init::calculate_gain("linear") == 1);
  CHECK(init::calculate_gain("conv2d") == 1);
  CHECK(init::calculate_gain("sigmoid") == 1);
  CHECK(init::calculate_gain("tanh") == Approx(5.0 / 3).epsilon(1e-15));
  CHECK(init::calculate_gain("relu") == Approx(std::sqrt(2)).epsilon(1e-15));
  CHECK(init::calculate_gain("leaky_relu") == Approx(std::sqrt(2 / 1.0001)).epsilon(1e-15));
  CHECK(init::calculate_gain("leaky_relu", 0.2) == Approx(std::sqrt(2 / 1.04)).epsilon(1e-15));
  CHECK(init::calculate_gain("selu") == 0.75);
  CHECK_THROWS_WITH(init::calculate_gain("softplus"), contains_text("no gain is known for \"softplus\""));
}

TEST_CASE("Xavier's and Kaiming's scales follow from the fans") {
  manual_seed(4);
  const Shape shape{40, 30, 3, 5};
  const double in = 30 * 15, out = 40 * 15;
  CHECK(init::fans(shape).in == in);
  CHECK(init::fans(shape).out == out);
  check_uniform(drawn([](Array& a) { init::xavier_uniform(a, 2); }, shape), 2 * std::sqrt(6 / (in + out)));
  check_normal(drawn([](Array& a) { init::xavier_normal(a, 2); }, shape), 2 * std::sqrt(2 / (in + out)));
  check_uniform(drawn([](Array& a) { init::kaiming_uniform(a, {.a = std::sqrt(5)}); }, shape), 1 / std::sqrt(in));
  check_uniform(drawn([](Array& a) { init::kaiming_uniform(a, {.mode = "fan_out", .nonlinearity = "relu"}); }, shape), std::sqrt(6 / out));
  check_normal(drawn([](Array& a) { init::kaiming_normal(a); }, shape), std::sqrt(2 / in));
  check_normal(drawn([](Array& a) { init::kaiming_normal(a, {.mode = "fan_out", .nonlinearity = "tanh"}); }, shape),
               5 / (3 * std::sqrt(out)));
}

TEST_CASE("orthogonal matrices are orthogonal") {
  for (const Shape& shape : {Shape{7, 7}, Shape{4, 9}, Shape{9, 4}, Shape{6, 2, 5}, Shape{1, 3}}) {
    INFO(to_string(shape));
    const auto q = drawn([](Array& a) { init::orthogonal(a, 3); }, shape);
    const auto rows = static_cast<size_t>(shape[0]), columns = q.size() / rows;
    const bool wide = rows <= columns;
    const size_t count = std::min(rows, columns), length = std::max(rows, columns);
    const auto at = [&](size_t vector, size_t k) { return wide ? q[vector * columns + k] : q[k * columns + vector]; };
    for (size_t i = 0; i < count; ++i)
      for (size_t j = 0; j < count; ++j) {
        double product = 0;
        for (size_t k = 0; k < length; ++k) product += at(i, k) * at(j, k);
        CHECK(product == Approx(i == j ? 9 : 0).margin(1e-13));
      }
  }
  // Uniform over all: no entry is of one sign alone.
  double total = 0;
  for (int i = 0; i < 400; ++i) total += drawn([](Array& a) { init::orthogonal(a); }, {3, 3})[0];
  CHECK(std::abs(total / 400) < 4 / std::sqrt(3.0 * 400));
}

TEST_CASE("layers start as PyTorch's do") {
  manual_seed(5);
  const nn::Embedding rows(500, 40, {.padding_idx = -2});
  std::vector<double> table = numbers(rows.weight.array());
  for (size_t i = 498 * 40; i < 499 * 40; ++i) CHECK(table[i] == 0);
  table.erase(table.begin() + 498 * 40, table.begin() + 499 * 40);
  check_normal(table, 1);
  CHECK_THROWS_WITH(nn::Embedding(3, 2, {.padding_idx = 3}), contains_text("padding_idx 3 is no row of 3"));
  CHECK(numbers(nn::PReLU(2).weight.array()) == std::vector<double>{0.25, 0.25});
  const nn::BatchNorm2d bn(2);
  CHECK(numbers(bn.weight.array()) == std::vector<double>{1, 1});
  CHECK(numbers(bn.bias.array()) == std::vector<double>{0, 0});
  CHECK(numbers(bn.running_mean.array()) == std::vector<double>{0, 0});
  CHECK(numbers(bn.running_var.array()) == std::vector<double>{1, 1});
  CHECK(numbers(nn::LayerNorm({2}).weight.array()) == std::vector<double>{1, 1});
  CHECK_FALSE(nn::LayerNorm({2}, {.bias = false}).bias.defined());
}

TEST_CASE("constants and functions of the user's, into parameters of any floating type") {
  Parameter p("p", Array(bf16, {2, 2}));
  init::constant(p, 0.5);
  CHECK(numbers(p.array()) == std::vector<double>(4, 0.5));
  init::fill(p, [](int64_t i) { return static_cast<double>(i * i); });
  CHECK(numbers(p.array()) == std::vector<double>{0, 1, 4, 9});
}

TEST_CASE("the seed decides, and every call draws anew") {
  for (auto fill : {+[](Array& a) { init::normal(a); }, +[](Array& a) { init::trunc_normal(a); }, +[](Array& a) { init::orthogonal(a); }}) {
    manual_seed(7);
    const auto first = drawn(fill, {5, 5}), second = drawn(fill, {5, 5});
    manual_seed(7);
    CHECK(drawn(fill, {5, 5}) == first);
    CHECK(first != second);
  }
  // The same on every platform, to a few ulp.
  manual_seed(0);
  testing::require_close(drawn([](Array& a) { init::normal(a); }, {4}),
                         {0.9406014348179053, 0.23758962923085605, 0.6096171281801455, -1.3150463260439396}, 1e-14);
}

TEST_CASE("initialization says what it requires") {
  Array vector(f32, {3}), integers(i64, {2, 2});
  CHECK_THROWS_WITH(init::xavier_uniform(vector), contains_text("a weight needs at least two axes, [out, in, ...]; given [3]"));
  CHECK_THROWS_WITH(init::orthogonal(vector), contains_text("init::orthogonal: a matrix needs at least two axes"));
  CHECK_THROWS_WITH(init::normal(integers), contains_text("init::normal: the elements must be floating, not i64"));
  CHECK_THROWS_WITH(init::trunc_normal(vector, 0, 1, 2, 2), contains_text("low < high"));
  Array matrix(f32, {3, 3});
  CHECK_THROWS_WITH(init::kaiming_normal(matrix, {.mode = "fan"}), contains_text("\"fan_in\" or \"fan_out\", not \"fan\""));
}
