// Attention as generated kernels, at the edges of their tiles.

#include <cmath>

#include "weft/backends/cuda/cuda.h"
#include "weft/backends/reference/agreement.h"
#include "weft/ir/op_def.h"
#include "weft/tests/backends/cuda/heavy_run.h"
#include "weft/tests/backends/cuda/ptxas.h"
#include "weft/tests/catch.h"

using namespace weft;
using reference::Tensor;
using testing::Sample;

namespace {

struct Case {
  DType dtype = f32;
  Dims batch = {2};
  int64_t queries = 5, keys = 5, width = 4, value_width = 4;
  bool causal = false;
  int64_t group = 1;
  std::optional<DType> mask = {};
  Dims mask_shape = {};
};

/// What the op is given; of a gradient what goes with it.
Sample sample_of(const Case& c, bool gradient) {
  const auto of = [&](int64_t group, int64_t rows, int64_t width) {
    Dims shape = c.batch;
    if (!shape.empty()) shape.back() /= group;
    shape.insert(shape.end(), {rows, width});
    return ir::Type{c.dtype, Shape(shape)};
  };
  Dims rows = c.batch;
  rows.push_back(c.queries);
  const ir::Type number{computed_in(c.dtype), Shape(rows)};
  Sample sample{gradient ? "attention_gradient" : "attention",
                {of(1, c.queries, c.width), of(c.group, c.keys, c.width), of(c.group, c.keys, c.value_width)},
                {{"causal", c.causal}, {"scale", 0.5}}};
  if (gradient) sample.operands.insert(sample.operands.end(), {of(1, c.queries, c.value_width), number, number});
  if (c.mask) sample.operands.push_back({*c.mask, Shape(c.mask_shape)});
  return sample;
}

/// Of the operands that a step has: lse and delta are those of a result.
std::vector<Tensor> operands_of(const Case& c, bool gradient) {
  const Sample forward = sample_of(c, false);
  std::vector<Tensor> all = testing::values_of(forward);
  if (!gradient) return all;
  const std::vector<Tensor> results = reference::evaluate(testing::module_of(forward).graph(), all);
  std::vector<Tensor> others = testing::values_of(sample_of(c, true));
  others[0] = all[0], others[1] = all[1], others[2] = all[2], others[4] = results[1];
  if (c.mask) others.back() = all.back();
  const Tensor& g = others[3];
  const auto width = static_cast<size_t>(c.value_width);
  for (size_t row = 0; row < others[5].real.size(); ++row) {
    double sum = 0;
    for (size_t e = 0; e < width; ++e) sum += g.real[row * width + e] * results[0].real[row * width + e];
    others[5].real[row] = static_cast<float>(sum);
  }
  others[4] = reference::from_memory(others[4].type, test::memory_of(others[4]).data());
  return others;
}

bool claims(const Case& c, bool gradient) {
  const ir::Module module = testing::module_of(sample_of(c, gradient));
  return cuda::target().claims(*module.graph().ops().front());
}

/// Within a bound relative to the largest element: each is the sum of as many rounded terms as there are queries or keys.
void check(const Case& c, uint64_t seed = 0) {
  for (const bool gradient : {false, true}) {
    if (!claims(c, gradient)) continue;
    const Sample sample = sample_of(c, gradient);
    INFO(testing::to_string(sample));
    const test::HeavyRun run(sample);
    const std::vector<Tensor> operands = operands_of(c, gradient);
    const std::vector<Tensor> want = reference::evaluate(testing::module_of(sample).graph(), operands),
                              got = run.results(operands, {.seed = seed});
    REQUIRE(got.size() == want.size());
    for (size_t i = 0; i < want.size(); ++i) {
      INFO("result " << i);
      double largest = 0, error = 0;
      for (size_t e = 0; e < want[i].real.size(); ++e) {
        const double x = want[i].real[e], y = got[i].real[e];
        CHECK(std::isfinite(x) == std::isfinite(y));
        if (!std::isfinite(x)) CHECK((x == y || (std::isnan(x) && std::isnan(y))));
        else largest = std::max(largest, std::abs(x)), error = std::max(error, std::abs(x - y));
      }
      const double ulp = c.dtype == f64 ? 0x1p-52 : want[i].type.dtype == f32 ? 0x1p-23 : 0x1p-7;
      CHECK(error <= 32 * ulp * std::max(1.0, largest));
    }
  }
}

}  // namespace

TEST_CASE("attention kernels: extents beside those of a tile", "[cuda][ptx-machine]") {
  for (const int64_t extent : {1, 15, 16, 17, 63, 64, 65}) {
    check({.batch = {}, .queries = extent, .keys = 3, .causal = extent % 2 == 0});
    check({.batch = {}, .queries = 3, .keys = extent, .causal = extent % 2 == 1}, 1);
    check({.batch = {}, .queries = 2, .keys = 2, .width = extent}, 2);
    check({.batch = {}, .queries = 2, .keys = 2, .value_width = extent}, 3);
  }
  for (const bool causal : {false, true}) check({.queries = 130, .keys = 97, .width = 8, .value_width = 24, .causal = causal});
  for (const bool causal : {false, true}) check({.dtype = f64, .queries = 33, .keys = 65, .width = 40, .value_width = 8, .causal = causal});
  check({.dtype = bf16, .queries = 70, .keys = 66, .width = 24, .value_width = 24, .causal = true});
}

TEST_CASE("attention kernels: heads that share keys, and masks", "[cuda][ptx-machine]") {
  check({.batch = {2, 6}, .queries = 4, .keys = 7, .causal = true, .group = 3});
  check({.batch = {3, 2}, .queries = 4, .keys = 7, .mask = boolean, .mask_shape = {3, 1, 4, 7}});
  check({.batch = {3, 2}, .queries = 4, .keys = 7, .causal = true, .mask = f32, .mask_shape = {1, 2, 1, 7}});
  check({.batch = {2, 4}, .queries = 66, .keys = 70, .group = 2, .mask = boolean, .mask_shape = {2, 1, 66, 1}});
}

TEST_CASE("attention kernels: a query that sees nothing gives 0, and infinities and nan go where they belong", "[cuda][ptx-machine]") {
  const Case c{.batch = {2}, .queries = 3, .keys = 4, .mask = boolean, .mask_shape = {2, 3, 4}};
  std::vector<Tensor> operands = operands_of(c, false);
  for (size_t e = 0; e < 12; ++e) operands[3].integer[e] = e / 4 != 1;  // of the first head, the second query sees no key
  const std::vector<Tensor> got = test::HeavyRun(sample_of(c, false)).results(operands, {});
  for (size_t e = 4; e < 8; ++e) CHECK(got[0].real[e] == 0);
  CHECK(got[1].real[1] == -std::numeric_limits<double>::infinity());
  CHECK(std::isfinite(got[1].real[0]));
  operands[0].real[0] = std::nan("");  // of the first query, which no other one reads
  const std::vector<Tensor> with_nan = test::HeavyRun(sample_of(c, false)).results(operands, {});
  for (size_t e = 0; e < 24; ++e) CHECK(std::isnan(with_nan[0].real[e]) == (e < 4));
}

TEST_CASE("attention kernels: keys whose scores are much larger than all that follow", "[cuda][ptx-machine]") {
  const Case c{.batch = {}, .queries = 3, .keys = 130, .width = 2, .value_width = 3};
  std::vector<Tensor> operands = operands_of(c, false);
  for (double& x : operands[0].real) x = 1;
  for (size_t e = 0; e < operands[1].real.size(); ++e) operands[1].real[e] = e / 2 == 5 ? 400 : e / 2 == 100 ? -400 : 0;
  const std::vector<Tensor> got = test::HeavyRun(sample_of(c, false)).results(operands, {});
  for (size_t e = 0; e < 9; ++e) CHECK(got[0].real[e] == operands[2].real[15 + e % 3]);  // of key 5 alone
  for (size_t query = 0; query < 3; ++query) CHECK(got[1].real[query] == 400);
}

TEST_CASE("attention kernels: nothing on the stack", "[cuda]") {
  if (const std::string why = test::why_no_ptxas(); !why.empty()) {
    WARN("skipped: " << why);
    return;
  }
  std::vector<std::string> texts;
  for (const DType dtype : {f32, f64, bf16})
    for (const int64_t width : {16, 64, 128, 256}) {
      const Case c{.dtype = dtype, .queries = 128, .keys = 128, .width = width, .value_width = width, .causal = true};
      for (const bool gradient : {false, true})
        if (claims(c, gradient)) texts.push_back(test::HeavyRun(sample_of(c, gradient)).text);
    }
  CHECK(texts.size() == 18);
  CHECK(test::on_stack(texts, "sm_90") == "");
  CHECK(test::on_stack(texts, "sm_80") == "");
}
