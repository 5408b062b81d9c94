#include "weft/backends/reference/agreement.h"

#include <cmath>

#include "weft/tests/catch.h"

using namespace weft;
using reference::Tensor;

namespace {

Tensor reals(std::vector<double> values) {
  Tensor t(ir::Type{f64, Shape{static_cast<int64_t>(values.size())}});
  t.real = std::move(values);
  return t;
}

Tensor integers(std::vector<int64_t> values) {
  Tensor t(ir::Type{i64, Shape{static_cast<int64_t>(values.size())}});
  t.integer = std::move(values);
  return t;
}

bool agrees(const Tensor& got, const Tensor& exact, const std::vector<Tensor>& moved, reference::Tolerance tolerance = {}) {
  std::vector<const Tensor*> all;
  for (const Tensor& m : moved) all.push_back(&m);
  return !reference::disagreement(got, exact, all, tolerance);
}

}  // namespace

TEST_CASE("agreement: eight times the largest movement, plus the bound of the largest value", "[reference]") {
  const Tensor exact = reals({1, -4});
  const std::vector<Tensor> moved{reals({1, -4}), reals({1.125, -4})};
  CHECK(agrees(reals({2, -5}), exact, moved));
  CHECK_FALSE(agrees(reals({2.0625, -4}), exact, moved));
  CHECK(agrees(reals({2.0625, -4}), exact, moved, {.bound = 0x1p-6}));
  CHECK_FALSE(agrees(reals({2.125, -4}), exact, moved, {.bound = 0x1p-6}));
  CHECK(agrees(reals({2.125, -4}), exact, moved, {.absolute = 0.125}));
  CHECK_FALSE(agrees(reals({1}), exact, moved));
}

TEST_CASE("agreement: integers, infinities and nan are the same where every run gives them", "[reference]") {
  CHECK_FALSE(agrees(integers({1, 3}), integers({1, 2}), {integers({1, 2}), integers({0, 2})}));
  CHECK(agrees(integers({5, 2}), integers({1, 2}), {integers({1, 2}), integers({0, 2})}));
  for (const double x : {NAN, INFINITY, -INFINITY}) {
    CHECK(agrees(reals({x}), reals({x}), {reals({x})}));
    CHECK_FALSE(agrees(reals({1}), reals({x}), {reals({x})}));
    CHECK(agrees(reals({1}), reals({x}), {reals({1})}));
    CHECK_FALSE(agrees(reals({x}), reals({1}), {reals({1})}));
  }
  CHECK(agrees(reals({3e37}), reals({2e37}), {reals({2e37})}, {.largest = 1e37}));
}
