// lgamma, digamma and polygamma: element by element over their whole domain, and by what is known of them exactly.

#include <cmath>
#include <numbers>

#include "weft/tests/frontend/stored_numbers.h"

using namespace weft;
using testing::json;

namespace {

constexpr double pi = std::numbers::pi;

/// `functions` of x, one row each.
std::vector<std::vector<double>> rows_of(const Array& x, const Target& target,
                                         const std::function<std::vector<Tensor>(Tensor)>& functions) {
  Graph g("gamma");
  const std::vector<Tensor> all = functions(g.input("x", x.dtype(), x.shape()));
  for (size_t i = 0; i < all.size(); ++i) g.output(std::to_string(i), all[i]);
  const Results results = compile(g, target)({{"x", x}});
  std::vector<std::vector<double>> rows(all.size());
  for (size_t i = 0; i < all.size(); ++i)
    for (int64_t e = 0; e < x.shape().numel(); ++e) rows[i].push_back(results[std::to_string(i)].array().at(e));
  return rows;
}

void check_element(double x, double got, double want, double tolerance) {
  INFO("at " << x << ": " << got << " for " << want);
  if (std::isnan(want)) CHECK(std::isnan(got));
  else if (std::isinf(want)) CHECK(got == want);
  else CHECK(std::abs(got - want) <= tolerance * std::abs(want));
}

void check_domain(const Target& target, DType dtype, double tolerance) {
  const json stored = testing::read_expected("gamma");
  const Array x = testing::array_of(stored["x"], dtype);
  const auto rows = rows_of(x, target, [](const Tensor& t) { return std::vector<Tensor>{lgamma(t), digamma(t)}; });
  for (size_t i = 0; i < rows.size(); ++i) {
    const char* name = i == 0 ? "lgamma" : "digamma";
    INFO(name);
    const reference::Tensor want = testing::tensor(stored[name]);
    for (size_t e = 0; e < want.real.size(); ++e) {
      const double exact = want.real[e], beyond = dtype == f32 ? static_cast<double>(static_cast<float>(exact)) : exact;
      check_element(x.at(static_cast<int64_t>(e)), rows[i][e], std::isinf(beyond) ? beyond : exact, tolerance);
    }
  }
}

void check_trigamma(const Target& target, DType dtype, double tolerance) {
  const std::vector<double> known{pi * pi / 6,
                                  pi * pi / 2,
                                  pi * pi / 6 - 1,
                                  pi * pi / 2 - 4,
                                  pi * pi / 2 + 4,
                                  pi * pi + 8 * 0.915965594177219015,
                                  pi * pi / 6 - 1.25 - 1.0 / 9,
                                  pi * pi / 2 + 4 + 4.0 / 9};
  const std::vector<double> at{1, 0.5, 2, 1.5, -0.5, 0.25, 4, -1.5};
  Array x(dtype, {std::ssize(at)});
  for (size_t i = 0; i < at.size(); ++i) x.set(static_cast<int64_t>(i), at[i]);
  const auto rows =
      rows_of(x, target, [](const Tensor& t) { return std::vector<Tensor>{polygamma(1, t), gradients(sum(digamma(t)), {t})[0]}; });
  for (const std::vector<double>& row : rows)
    for (size_t i = 0; i < at.size(); ++i) check_element(at[i], row[i], known[i], tolerance);
}

}  // namespace

TEST_CASE("lgamma and digamma are PyTorch's at every element, by the reference in f64") { check_domain(Target::reference(), f64, 1e-10); }
TEST_CASE("lgamma and digamma are PyTorch's at every element, by kernels in f64") { check_domain(Target::cpu(), f64, 1e-10); }
TEST_CASE("lgamma and digamma are PyTorch's at every element, by kernels in f32") { check_domain(Target::cpu(), f32, 1e-6); }

TEST_CASE("the derivative of digamma is what is known of it") {
  check_trigamma(Target::reference(), f64, 1e-14);
  check_trigamma(Target::cpu(), f64, 1e-14);
  check_trigamma(Target::cpu(), f32, 1e-6);
}

TEST_CASE("polygamma knows how many derivatives there are") {
  Graph g("gamma");
  const Tensor x = g.input("x", f32, {3});
  CHECK_THROWS_WITH(polygamma(-1, x), contains_text("n must be 1 to 10, not -1"));
  CHECK_THROWS_WITH(polygamma(11, x), contains_text("n must be 1 to 10, not 11"));
  const Tensor last = sum(polygamma(10, x));
  CHECK_THROWS_WITH(gradients(last, {x}), contains_text("polygamma(10, x) has no gradient") && contains_text(testing::line(-1)));
}
