// Attention in blocks: against the reference, over extents below, at and beyond those of a block, and what it does with its scores for
// every instruction set of this machine.

#include <cmath>
#include <limits>

#include "weft/backends/cpu/exec/attention.h"
#include "weft/backends/cpu/exec/attention_rows.h"
#include "weft/backends/cpu/exec/isa.h"
#include "weft/tests/backends/cpu/run.h"
#include "weft/tests/catch.h"

using namespace weft;
using namespace weft::test;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

struct Extents {
  int64_t batch, heads, key_heads, queries, keys, width, value_width;
};

/// Attention and its gradients; `mask` is the type of a mask, or "".
std::string program(const Extents& e, const std::string& attributes, const std::string& mask) {
  const auto type = [&](int64_t heads, int64_t rows, int64_t width) {
    return fmt::format("f32[{},{},{},{}]", e.batch, heads, rows, width);
  };
  const std::string q = type(e.heads, e.queries, e.width), k = type(e.key_heads, e.keys, e.width),
                    v = type(e.key_heads, e.keys, e.value_width), y = type(e.heads, e.queries, e.value_width),
                    rows = fmt::format("f32[{},{},{}]", e.batch, e.heads, e.queries);
  const std::string with_mask = mask.empty() ? "" : ", %mask", input = mask.empty() ? "" : "  input %mask: " + mask + "\n";
  return fmt::format(
      "weft 1\nfunc @test {{\n  input %q: {0}\n  input %k: {1}\n  input %v: {2}\n  input %g: {3}\n{6}"
      "  %0, %1 = attention(%q, %k, %v{5}) {{{7}}} : {3}, {4}\n"
      "  %2 = mul(%0, %g) : {3}\n  %3 = sum(%2) {{axes = [3]}} : {4}\n"
      "  %4, %5, %6 = attention_gradient(%q, %k, %v, %g, %1, %3{5}) {{{7}}} : {0}, {1}, {2}\n"
      "  output y = %0\n  output lse = %1\n  output dq = %4\n  output dk = %5\n  output dv = %6\n}}\n",
      q, k, v, y, rows, with_mask, input, attributes);
}

void check(const Extents& e, const std::string& attributes, const std::string& mask = "") {
  const std::string text = program(e, attributes, mask);
  INFO(text);
  const std::vector<Array> inputs = sample_inputs(text);
  const Outputs want = run_reference(text, inputs), got = run_cpu(text, inputs), alone = run_cpu(text, inputs, {.options = {.threads = 1}});
  CHECK(same_bits(got, alone));
  REQUIRE(got.values.size() == 5);
  for (size_t i = 0; i < 5; ++i) {
    INFO(got.names[i]);
    CHECK(relative_difference(got.values[i], want.values[i]) < 4e-6);
  }
}

/// Those that this machine can run.
std::vector<std::pair<std::string, const cpu::AttentionRows*>> all_rows() {
  const std::pair<std::string, const cpu::AttentionRows*> known[] = {
      {"sse4", &cpu::sse4_attention_rows}, {"avx2", &cpu::avx2_attention_rows}, {"avx512", &cpu::avx512_attention_rows}};
  std::vector<std::pair<std::string, const cpu::AttentionRows*>> found;
  for (const auto& rows : known)
    if (cpu::has_isa(rows.first)) found.push_back(rows);
  return found;
}

}  // namespace

TEST_CASE("attention: blocks of queries and keys agree with the reference", "[attention]") {
  for (const std::string attributes : {"scale = 0.25", "scale = 0.25, causal = true"}) {
    check({2, 2, 2, 48, 64, 16, 16}, attributes);
    check({1, 3, 3, 49, 33, 20, 12}, attributes);
    check({1, 2, 1, 130, 100, 8, 24}, attributes);
    check({1, 4, 2, 7, 600, 5, 3}, attributes);
    check({1, 1, 1, 100, 1100, 32, 32}, attributes);
    check({1, 1, 1, 530, 530, 9, 7}, attributes);
    check({3, 1, 1, 2, 40, 16, 16}, attributes);
    check({1, 2, 2, 40, 1, 1, 1}, attributes);
  }
}

TEST_CASE("attention: masks of every shape agree with the reference", "[attention]") {
  const Extents e{2, 4, 2, 50, 530, 8, 8};
  for (const std::string element : {"bool", "f32"})
    for (const std::string shape : {"[2,4,50,530]", "[1,1,50,530]", "[2,1,1,530]", "[2,4,50,1]", "[1,1,1,1]", "[1,4,1,530]"}) {
      check(e, "scale = 0.5", element + shape);
      check(e, "scale = 0.5, causal = true", element + shape);
    }
}

TEST_CASE("attention: a query that sees nothing gets 0, and so do its gradients", "[attention]") {
  const Extents e{1, 1, 1, 3, 5, 4, 4};
  const std::string text = program(e, "scale = 0.5", "bool[1,1,3,1]");
  std::vector<Array> inputs = sample_inputs(text);
  for (int64_t i = 0; i < 3; ++i) inputs[4].set(i, i != 1);
  const Outputs got = run_cpu(text, inputs);
  for (int64_t i = 0; i < 12; ++i) {
    INFO(i);
    const bool hidden = i / 4 == 1;
    CHECK((got.values[0].at(i) == 0) == hidden);
    CHECK((got.values[2].at(i) == 0) == hidden);
  }
  CHECK(got.values[1].at(1) == -infinity);
  for (size_t output : {3, 4})
    for (int64_t i = 0; i < 20; ++i) CHECK(std::isfinite(got.values[output].at(i)));
}

TEST_CASE("attention: large scores, infinities and nans", "[attention]") {
  const Extents e{1, 1, 1, 2, 3, 1, 1};
  const std::string text = program(e, "scale = 1.0", "");
  std::vector<Array> inputs = sample_inputs(text);
  inputs[0] = Array::of({1, 1, 2, 1}, std::vector<float>{1000, std::nanf("")});
  inputs[1] = Array::of({1, 1, 3, 1}, std::vector<float>{-30, 30, 29});
  inputs[2] = Array::of({1, 1, 3, 1}, std::vector<float>{1, 2, 3});
  const Outputs got = run_cpu(text, inputs);
  CHECK(got.values[0].at(0) == 2);
  CHECK(got.values[1].at(0) == 30000);
  CHECK(std::isnan(got.values[0].at(1)));
}

TEST_CASE("attention: weights are exponentials on every instruction set", "[attention]") {
  constexpr int64_t row = 64, width = 53;
  for (const auto& [isa, rows] : all_rows()) {
    INFO(isa);
    std::vector<float> scores(2 * row, std::nanf("")), begun(scores);
    for (int64_t i = 0; i < 2 * row; ++i)
      if (i % row < width) scores[static_cast<size_t>(i)] = static_cast<float>((i * 37) % 101) * 1.7F - 90;
    begun = scores;
    cpu::ScoreBlock block{scores.data(), row, 2, width, 0.5F, 20};
    float largest[2] = {-infinity, 3}, sums[2] = {0, 5}, factors[2] = {7, 7};
    rows->weigh(block, largest, sums, factors);
    for (int64_t i = 0; i < 2; ++i) {
      double most = i == 0 ? -infinity : 3, sum = 0;
      for (int64_t j = 0; j < 20 + i; ++j) most = std::max(most, 0.5 * begun[static_cast<size_t>(i * row + j)]);
      for (int64_t j = 0; j < width; ++j) {
        const double x = 0.5 * begun[static_cast<size_t>(i * row + j)] - most, weight = j < 20 + i ? std::exp(x) : 0;
        sum += weight;
        // The exponent is rounded too.
        CHECK(std::abs(scores[static_cast<size_t>(i * row + j)] - weight) <= weight * (3e-7 - x * 0x1p-24));
      }
      const double factor = i == 0 ? 0 : std::exp(3 - most);
      CHECK(largest[i] == Approx(most));
      CHECK(std::abs(factors[i] - factor) <= 3e-7 * factor);
      CHECK(sums[i] == Approx(sum + (i == 0 ? 0 : 5) * factor).epsilon(1e-6));
    }
  }
}

TEST_CASE("attention: rows are transposed whatever their extents", "[attention]") {
  for (const auto& [isa, rows] : all_rows())
    for (const int64_t height : {1, 4, 7, 12})
      for (const int64_t width : {1, 3, 8, 9}) {
        INFO(isa << " " << height << " by " << width);
        std::vector<float> from(static_cast<size_t>(height * width)), to(static_cast<size_t>(width * 16), -1);
        for (size_t i = 0; i < from.size(); ++i) from[i] = static_cast<float>(i);
        rows->transpose(from.data(), width, height, width, to.data(), 16);
        for (int64_t j = 0; j < width; ++j)
          for (int64_t i = 0; i < 16; ++i)
            CHECK(to[static_cast<size_t>(j * 16 + i)] == (i < height ? from[static_cast<size_t>(i * width + j)] : -1));
      }
}
