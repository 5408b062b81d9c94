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
  bool joined = false;  // queries, keys and values of a token lie side by side, and so do the results' heads; batch {samples, heads}
};

/// Of queries (0), keys (1) or values (2) in [samples, tokens, 3 * heads * width], or of one such part alone.
Dims part_of_token(const Case& c, int64_t part, int64_t parts) {
  const int64_t samples = c.batch[0], heads = c.batch[1], of_part = heads * c.width, token = parts * of_part;
  return {part * of_part, samples, heads, c.queries, c.width, c.queries * token, c.width, token, 1};
}

Sample joined_sample(const Case& c, bool gradient) {
  const int64_t width = c.batch[1] * c.width;
  const ir::Type all{c.dtype, Shape{c.batch[0], c.queries, 3 * width}};
  const ir::Type number{computed_in(c.dtype), Shape{c.batch[0], c.batch[1], c.queries}};
  const Dims by_token{0, 2, 1, 3};
  Sample sample{gradient ? "attention_gradient" : "attention",
                {all, all, all},
                {{"causal", c.causal},
                 {"scale", 0.5},
                 {"q_view", part_of_token(c, 0, 3)},
                 {"k_view", part_of_token(c, 1, 3)},
                 {"v_view", part_of_token(c, 2, 3)}}};
  if (!gradient) {
    sample.attributes.emplace_back("order", by_token);
    return sample;
  }
  sample.attributes.emplace_back("g_view", part_of_token(c, 0, 1));
  for (const char* order : {"q_order", "k_order"}) sample.attributes.emplace_back(order, by_token);
  sample.operands.insert(sample.operands.end(), {{c.dtype, Shape{c.batch[0], c.queries, width}}, number, number});
  return sample;
}

/// What the op is given; of a gradient what goes with it.
Sample sample_of(const Case& c, bool gradient) {
  if (c.joined) return joined_sample(c, gradient);
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

/// Which of the queries' numbers is that of a row of the result, as it lies in memory.
size_t number_of_row(const Case& c, size_t row) {
  if (!c.joined) return row;
  const auto heads = static_cast<size_t>(c.batch[1]), tokens = static_cast<size_t>(c.queries);
  const size_t head = row % heads, token = row / heads % tokens, sample = row / heads / tokens;
  return (sample * heads + head) * tokens + token;
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
    others[5].real[number_of_row(c, row)] = static_cast<float>(sum);
  }
  others[4] = reference::from_memory(others[4].type, test::memory_of(others[4]).data());
  return others;
}

bool claims(const Case& c, bool gradient) {
  const ir::Module module = testing::module_of(sample_of(c, gradient));
  return cuda::target().claims(*module.graph().ops().front());
}

/// How far off a result may be, relative to the largest: each is the sum of as many rounded terms as there are queries or keys. Of 16 bits
/// a result is rounded once, and once what it is the sum of: the weights, or the slopes, which are what is multiplied.
double bound_for(DType result, DType computed) {
  if (result == f64) return 32 * 0x1p-52;
  if (result == f32) return 32 * 0x1p-23;
  return 2 * (computed == bf16 ? 0x1p-7 : 0x1p-10);
}

void check(const Case& c, uint64_t seed = 0, const std::string& arch = "sm_90") {
  for (const bool gradient : {false, true}) {
    if (!claims(c, gradient)) continue;
    const Sample sample = sample_of(c, gradient);
    INFO(testing::to_string(sample));
    const test::HeavyRun run(sample, arch);
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
      CHECK(error <= bound_for(want[i].type.dtype, c.dtype) * std::max(1.0, largest));
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
  check({.dtype = bf16, .queries = 70, .keys = 66, .width = 24, .value_width = 24, .causal = true}, 0, "sm_75");
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

TEST_CASE("attention kernels: a query without numbers spoils no other one's keys", "[cuda][ptx-machine]") {
  for (const DType dtype : {f32, bf16}) {
    const Case c{.dtype = dtype, .batch = {2}, .queries = 3, .keys = 3};
    std::vector<Tensor> operands = operands_of(c, true);
    operands[4].real[0] = operands[5].real[0] = std::nan("");  // of the first head's first query
    const std::vector<Tensor> got = test::HeavyRun(sample_of(c, true)).results(operands, {});
    for (const Tensor& gradient : got)
      for (size_t e = 12; e < 24; ++e) CHECK(std::isfinite(gradient.real[e]));
  }
}

TEST_CASE("attention by matrix units: extents beside those of a tile", "[cuda][ptx-machine]") {
  uint64_t seed = 0;
  for (const DType dtype : {bf16, f16})
    for (const int64_t extent : {1, 15, 16, 17, 31, 33, 63, 64, 65}) {
      ++seed;
      check({.dtype = dtype, .batch = {}, .queries = extent, .keys = 3, .causal = extent % 2 == 0}, seed);
      check({.dtype = dtype, .batch = {1}, .queries = 3, .keys = extent, .causal = extent % 2 == 1}, seed);
      check({.dtype = dtype, .batch = {}, .queries = 2, .keys = 2, .width = extent}, seed);
      check({.dtype = dtype, .batch = {}, .queries = 2, .keys = 2, .value_width = extent}, seed);
    }
  for (const bool causal : {false, true}) {
    check({.dtype = bf16, .queries = 130, .keys = 97, .width = 40, .value_width = 24, .causal = causal}, 1);
    check({.dtype = bf16, .batch = {}, .queries = 64, .keys = 128, .width = 64, .value_width = 64, .causal = causal}, 2);
    check({.dtype = bf16, .batch = {}, .queries = 65, .keys = 40, .width = 128, .value_width = 128, .causal = causal}, 3);
    check({.dtype = f16, .queries = 70, .keys = 66, .width = 16, .value_width = 32, .causal = causal}, 4);
  }
}

TEST_CASE("attention by matrix units: heads that share keys, masks, and operands that lie side by side", "[cuda][ptx-machine]") {
  check({.dtype = bf16, .batch = {2, 6}, .queries = 20, .keys = 37, .width = 16, .value_width = 16, .causal = true, .group = 3}, 1);
  check({.dtype = bf16, .batch = {3, 2}, .queries = 4, .keys = 7, .mask = boolean, .mask_shape = {3, 1, 4, 7}}, 2);
  check({.dtype = bf16, .batch = {3, 2}, .queries = 4, .keys = 7, .causal = true, .mask = bf16, .mask_shape = {1, 2, 1, 7}}, 3);
  check({.dtype = bf16, .batch = {2, 4}, .queries = 66, .keys = 70, .group = 2, .mask = boolean, .mask_shape = {2, 1, 66, 1}}, 4);
  for (const int64_t width : {16, 12, 10, 3})  // of which 8, 4, 2 and 1 are read at once
    check({.dtype = bf16, .batch = {2, 2}, .queries = 35, .keys = 35, .width = width, .value_width = width, .causal = true, .joined = true},
          5);
}

TEST_CASE("attention by matrix units: rows that do not begin at multiples of what is read at once", "[cuda][ptx-machine]") {
  const Case c{.dtype = bf16, .batch = {}, .queries = 5, .keys = 6, .width = 16, .value_width = 16};
  const Sample dense = sample_of(c, false);
  const std::vector<Tensor> operands = operands_of(c, false);
  Sample apart = dense;  // with an element between two rows
  const std::vector<std::pair<const char*, int64_t>> views = {{"q_view", c.queries}, {"k_view", c.keys}, {"v_view", c.keys}};
  for (size_t i = 0; i < views.size(); ++i) {
    apart.operands[i].shape = Shape{views[i].second, 17};
    apart.attributes.emplace_back(views[i].first, Dims{0, views[i].second, 16, 17, 1});
  }
  std::vector<Tensor> others = testing::values_of(apart);
  for (size_t i = 0; i < views.size(); ++i)
    for (size_t e = 0; e < operands[i].real.size(); ++e) others[i].real[e / 16 * 17 + e % 16] = operands[i].real[e];
  const std::vector<Tensor> want = test::HeavyRun(dense).results(operands, {}), got = test::HeavyRun(apart).results(others, {});
  for (size_t i = 0; i < 2; ++i) CHECK(got[i].real == want[i].real);
}

TEST_CASE("attention by matrix units: wide heads have a kernel for each gradient, as long as there are registers", "[cuda][ptx-machine]") {
  const auto launches = [](int64_t width) {
    return test::HeavyRun(sample_of({.dtype = bf16, .queries = 40, .keys = 40, .width = width, .value_width = width}, true))
        .launches()
        .size();
  };
  CHECK(launches(128) == 2);
  CHECK(launches(256) == 3);
  for (const int64_t width : {160, 256})
    check({.dtype = bf16, .batch = {}, .queries = 35, .keys = 50, .width = width, .value_width = width, .causal = true}, 1);
  // Where one gradient alone has no room, it is written out, for the matrix units to run its products.
  CHECK(claims({.dtype = bf16, .width = 300, .value_width = 64}, true));
  for (const DType dtype : {f32, bf16}) CHECK(!claims({.dtype = dtype, .width = 400, .value_width = 64}, true));
}

TEST_CASE("attention by matrix units: from sm_80 on, and of 16 bits", "[cuda][ptx-machine]") {
  const auto text = [](DType dtype, bool gradient, const std::string& arch) {
    return test::HeavyRun(sample_of({.dtype = dtype, .width = 16, .value_width = 16}, gradient), arch).text;
  };
  for (const bool gradient : {false, true}) {
    CHECK_THAT(text(bf16, gradient, "sm_80"), contains_text("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32"));
    CHECK_THAT(text(f16, gradient, "sm_80"), contains_text("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32"));
    CHECK_THAT(text(bf16, gradient, "sm_75"), !contains_text("mma.sync"));
    CHECK_THAT(text(f32, gradient, "sm_80"), !contains_text("mma.sync"));
  }
  check({.dtype = bf16, .queries = 20, .keys = 17, .causal = true}, 0, "sm_75");
}

TEST_CASE("attention kernels: nothing on the stack", "[cuda]") {
  if (const std::string why = test::why_no_ptxas(); !why.empty()) {
    WARN("skipped: " << why);
    return;
  }
  std::vector<std::string> texts;
  for (const DType dtype : {f32, f64, f16, bf16})
    for (const int64_t width : {16, 48, 64, 80, 96, 128, 160, 192, 256}) {
      const Case c{.dtype = dtype, .queries = 128, .keys = 128, .width = width, .value_width = width, .causal = true};
      for (const bool gradient : {false, true})
        if (claims(c, gradient)) texts.push_back(test::HeavyRun(sample_of(c, gradient)).text);
    }
  CHECK(texts.size() == 70);
  CHECK(test::on_stack(texts, "sm_90") == "");
  CHECK(test::on_stack(texts, "sm_80") == "");
}
