// The generated f32 functions against the C library's double ones, over all exponents.

#include <bit>
#include <cmath>
#include <limits>

#include "weft/tests/backends/cpu/run.h"
#include "weft/tests/catch.h"

using namespace weft;

namespace {

/// Every sign and exponent with 2048 mantissas each, spread evenly and ending at both ends, and the special values.
Array operands() {
  std::vector<float> all;
  for (uint32_t upper = 0; upper < 512; ++upper)
    for (uint32_t i = 0; i < 2048; ++i) {
      const uint32_t mantissa = static_cast<uint32_t>((uint64_t{i} * 0x7fffff) / 2047);
      all.push_back(std::bit_cast<float>(upper << 23 | mantissa));
    }
  return Array::of(Shape{static_cast<int64_t>(all.size())}, all);
}

double ulp(double exact) {
  const float nearest = static_cast<float>(std::fabs(exact));
  if (nearest < 0x1p-126f) return 0x1p-149;
  return std::ldexp(1.0, std::ilogb(nearest) - 23);
}

double largest_error_ulps(const std::string& op, double (*exact)(double)) {
  const Array x = operands();
  const std::string n = std::to_string(x.shape().numel());
  const std::string text = "weft 1\nfunc @f {\n  input %x: f32[" + n + "]\n  %0 = " + op + "(%x) : f32[" + n + "]\n  output y = %0\n}\n";
  const test::Outputs y = test::run_cpu(text, {x});
  double worst = 0;
  for (int64_t e = 0; e < x.shape().numel(); ++e) {
    const double want = exact(x.at(e)), got = y.values[0].at(e);
    const double rounded = static_cast<float>(want);
    INFO(op << "(" << x.at(e) << ") = " << got << ", exactly " << want);
    if (std::isnan(want)) {
      REQUIRE(std::isnan(got));
    } else if (!std::isfinite(rounded) || !std::isfinite(got)) {
      // Within half an ulp of overflow either is right.
      REQUIRE((got == rounded || std::fabs(want) > 0x1.fffffep127 * (1 - 0x1p-20)));
    } else {
      worst = std::max(worst, std::fabs(got - want) / ulp(want));
    }
  }
  return worst;
}

}  // namespace

TEST_CASE("generated exp is within 2 ulp") {
  const double error = largest_error_ulps("exp", std::exp);
  INFO(error);
  CHECK(error < 2);
}

TEST_CASE("generated log is within 2 ulp") {
  const double error = largest_error_ulps("log", std::log);
  INFO(error);
  CHECK(error < 2);
}

TEST_CASE("generated tanh is within 2 ulp") {
  const double error = largest_error_ulps("tanh", std::tanh);
  INFO(error);
  CHECK(error < 2);
}

TEST_CASE("generated erf is within 2 ulp") {
  const double error = largest_error_ulps("erf", std::erf);
  INFO(error);
  CHECK(error < 2);
}
