// The order of reductions, and how exact the sums are that follow it.

#include <fmt/format.h>

#include <cmath>

#include "weft/support/philox.h"
#include "weft/support/reduction_order.h"
#include "weft/tests/backends/cpu/run.h"
#include "weft/tests/catch.h"

using namespace weft;

namespace {

std::string function(const std::string& lines) { return "weft 1\nfunc @f {\n" + lines + "}\n"; }

/// A sum with an exact one beside it: every two numbers' rounding error is kept.
class ExactSum {
 public:
  void add(double x) {
    const double total = sum_ + x, part = total - sum_;
    rest_ += (sum_ - (total - part)) + (x - part);
    sum_ = total;
    magnitude_ += std::abs(x);
  }
  double value() const { return sum_ + rest_; }
  double magnitude() const { return magnitude_; }

 private:
  double sum_ = 0, rest_ = 0, magnitude_ = 0;
};

struct Case {
  const char *shape, *axes, *result;
};

}  // namespace

TEST_CASE("reduction: a sum of doubles has the reference's bits, so its order is the documented one") {
  for (const Case& c : {Case{"[3,37]", "[0,1]", "[]"},
                        {"[16]", "[0]", "[]"},
                        {"[256]", "[0]", "[]"},
                        {"[257]", "[0]", "[]"},
                        {"[1025]", "[0]", "[]"},
                        {"[2049,3]", "[0]", "[3]"},
                        {"[3,5000]", "[1]", "[3]"},
                        {"[90,37]", "[0,1]", "[]"},
                        {"[90,70]", "[0,1]", "[]"},
                        {"[90,37]", "[0]", "[37]"},
                        {"[7,70,20]", "[0,1,2]", "[]"},
                        {"[7,70,20]", "[0,2]", "[70]"},
                        {"[65,1,16]", "[0,1,2]", "[]"},
                        {"[5000,3]", "[0,1]", "[]"},
                        {"[65,1,16]", "[0,1]", "[16]"},
                        {"[2,33,1040]", "[0,1,2]", "[]"},
                        {"[2,33,1040]", "[0,1]", "[1040]"},
                        {"[300,2,3]", "[0,2]", "[2]"},
                        {"[4,300,3]", "[1,2]", "[4]"},
                        {"[4,300,3,20]", "[1,2]", "[4,20]"},
                        {"[0,3]", "[0,1]", "[]"},
                        {"[3,0]", "[1]", "[3]"}}) {
    const std::string text =
        function(fmt::format("  input %x: f64{}\n  %0 = sum(%x) {{axes = {}}} : f64{}\n  output sum = %0\n", c.shape, c.axes, c.result));
    INFO(text);
    const auto inputs = test::sample_inputs(text);
    CHECK(test::same_bits(test::run_cpu(text, inputs), test::run_reference(text, inputs)));
  }
}

TEST_CASE("reduction: operands that do not walk the short lane axes as one are combined in the same order") {
  for (const char* stretched : {"[1,3]", "[40,1]", "[1,1]"})
    for (const char* axes : {"[0,1]", "[0]", "[1]"}) {
      const char* result = std::string(axes) == "[0,1]" ? "[]" : std::string(axes) == "[0]" ? "[3]" : "[40]";
      const std::string text =
          function(fmt::format("  input %x: f64[40,3]\n  input %b: f64{}\n  %0 = broadcast(%b) {{shape = [40,3]}} : f64[40,3]\n"
                               "  %1 = mul(%x, %0) : f64[40,3]\n  %2 = sum(%1) {{axes = {}}} : f64{}\n  output sum = %2\n",
                               stretched, axes, result));
      INFO(text);
      const auto inputs = test::sample_inputs(text);
      CHECK(test::same_bits(test::run_cpu(text, inputs), test::run_reference(text, inputs)));
    }
}

TEST_CASE("reduction: a sum of n elements is wrong by log2(n) ulp of the sum of magnitudes at most") {
  // Without pieces above the pieces, rows of 3 lose 1.5e-3 of the sum and flat ones 1.7e-4.
  for (const Case& c : {Case{"[3000000]", "[0]", "[]"},
                        {"[1000000,3]", "[0,1]", "[]"},
                        {"[1000003,3]", "[0,1]", "[]"},
                        {"[1000000,3]", "[0]", "[3]"},
                        {"[3,1000000]", "[1]", "[3]"},
                        {"[30000,50,2]", "[0,2]", "[50]"},
                        {"[1499977]", "[0]", "[]"},
                        {"[7,3,40000]", "[0,2]", "[3]"},
                        {"[300,7]", "[0,1]", "[]"}})
    for (const std::string what : {"equal", "positive", "both signs"}) {
      const std::string text =
          function(fmt::format("  input %x: f32{}\n  %0 = sum(%x) {{axes = {}}} : f32{}\n  output sum = %0\n", c.shape, c.axes, c.result));
      INFO(text << what);
      auto inputs = test::sample_inputs(text);
      Array& x = inputs[0];
      auto* values = reinterpret_cast<float*>(x.data());
      const int64_t count = x.shape().numel();
      for (int64_t i = 0; i < count; ++i) {
        const auto u = static_cast<float>(uniform_from_bits(random_bits(3, 0, 0, static_cast<uint64_t>(i))));
        values[i] = what == "equal" ? 0.1f : what == "positive" ? u : u - 0.5f;
      }
      const auto got = test::run_cpu(text, inputs);
      const int64_t results = got.values[0].shape().numel();
      // The kept axis, if there is one, is the first, the middle or the last.
      const int64_t outer = c.result == std::string("[50]")  ? 30000
                            : c.axes == std::string("[0,2]") ? 7
                            : c.axes == std::string("[1]")   ? 1
                                                             : count / results;
      std::vector<ExactSum> exact(static_cast<size_t>(results));
      const int64_t inner = count / results / outer;
      for (int64_t i = 0; i < count; ++i) exact[static_cast<size_t>(i / inner % results)].add(static_cast<double>(values[i]));
      for (int64_t r = 0; r < results; ++r) {
        const ExactSum& want = exact[static_cast<size_t>(r)];
        CHECK(std::abs(got.values[0].at(r) - want.value()) <= reduction_ulps(count / results) * 0x1p-24 * want.magnitude());
      }
    }
}

TEST_CASE("reduction: a sum of bf16 is an f32 sum, rounded once") {
  for (const Case& c : {Case{"[500000]", "[0]", "[]"}, {"[100000,3]", "[0,1]", "[]"}, {"[100000,3]", "[0]", "[3]"}}) {
    const std::string text =
        function(fmt::format("  input %x: bf16{}\n  %0 = sum(%x) {{axes = {}}} : bf16{}\n  output sum = %0\n", c.shape, c.axes, c.result));
    auto inputs = test::sample_inputs(text);
    const int64_t count = inputs[0].shape().numel();
    for (int64_t i = 0; i < count; ++i) inputs[0].set(i, 0.1);
    const auto got = test::run_cpu(text, inputs);
    const int64_t each = count / got.values[0].shape().numel();
    CHECK(std::abs(got.values[0].at(0) / (inputs[0].at(0) * static_cast<double>(each)) - 1) <= 0x1p-8);
  }
}

TEST_CASE("reduction: rows of one index are summed in pieces, bf16 in f32") {
  const int64_t count = 300000;
  for (const std::string type : {"f32", "bf16"})
    for (const bool coalesce : {true, false}) {
      const std::string index = fmt::format("  input %i: i64[{}]\n  input %u: {}[{},3]\n", count, type, count);
      const std::string text =
          function(index +
                   (coalesce ? fmt::format("  %0 = coalesce(%i, %u) : {}[{},3]\n", type, count)
                             : fmt::format("  input %x: {0}[2,3]\n  %0 = scatter_add(%x, %i, %u) : {0}[2,3]\n", type)) +
                   "  output y = %0\n");
      INFO(text);
      auto inputs = test::sample_inputs(text);
      for (int64_t i = 0; i < count; ++i) inputs[0].set(i, static_cast<double>(i % 7 == 0));
      for (int64_t i = 0; i < 3 * count; ++i) inputs[1].set(i, 0.1);
      if (!coalesce)
        for (int64_t i = 0; i < 6; ++i) inputs[2].set(i, 0);
      const auto got = test::run_cpu(text, inputs);
      const double ones = static_cast<double>((count + 6) / 7), each = inputs[1].at(0);
      const double tolerance = type == "f32" ? reduction_ulps(count) * 0x1p-24 : 0x1p-8;
      CHECK(std::abs(got.values[0].at(0) / (each * (coalesce ? ones : static_cast<double>(count) - ones)) - 1) <= tolerance);
      CHECK(std::abs(got.values[0].at(3) / (each * (coalesce ? static_cast<double>(count) - ones : ones)) - 1) <= tolerance);
    }
}
