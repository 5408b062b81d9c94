// The generated functions against the C library's in a wider type, over all exponents and signs.

#include <dlfcn.h>

#include <bit>
#include <cmath>
#include <limits>

#include "weft/backends/codegen/math/bounds.h"
#include "weft/ir/op_def.h"
#include "weft/ir/parser.h"
#include "weft/ir/registry.h"
#include "weft/passes/pass.h"
#include "weft/tests/backends/cpu/run.h"
#include "weft/tests/catch.h"

using namespace weft;

namespace {

using Wide = long double;
using Exact = Wide (*)(Wide);

struct Format {
  DType dtype;
  int significand;  // stored bits
  int least;        // the exponent of the smallest normal number
  Wide largest;
};
const Format single{f32, 23, -126, std::numeric_limits<float>::max()};
const Format twice{f64, 52, -1022, std::numeric_limits<double>::max()};

/// Every sign and exponent (or every `step`-th) with `count` significands each, spread evenly and ending at both ends, and
/// the special values.
std::vector<double> every_exponent(const Format& format, uint64_t count, uint64_t step = 1) {
  std::vector<double> all;
  const bool is_single = format.dtype == f32;
  for (uint64_t upper = 0; upper < (is_single ? 512 : 4096); upper += step)
    for (uint64_t i = 0; i < count; ++i) {
      const double share = static_cast<double>(i) / static_cast<double>(count - 1);
      const uint64_t last = (uint64_t{1} << format.significand) - 1;
      const uint64_t bits = upper << format.significand | std::min(last, static_cast<uint64_t>(share * static_cast<double>(last)));
      all.push_back(is_single ? std::bit_cast<float>(static_cast<uint32_t>(bits)) : std::bit_cast<double>(bits));
    }
  return all;
}

Wide ulp(const Format& format, Wide exact) {
  const Wide size = std::fabs(exact);
  const int exponent = size > 0 ? std::max(std::ilogb(size), format.least) : format.least;
  return std::ldexp(Wide(1), exponent - format.significand);
}

/// The error of `got` in ulps; infinite where it must be exact and is not: nan, infinities, the sign of zero.
double error_ulps(const Format& format, double got, Wide want) {
  constexpr double wrong = std::numeric_limits<double>::infinity();
  if (std::isnan(want)) return std::isnan(got) ? 0 : wrong;
  const double rounded = format.dtype == f32 ? static_cast<float>(want) : static_cast<double>(want);
  // Within a few ulps of overflow the largest number and infinity are both right.
  if (!std::isfinite(rounded) || !std::isfinite(got))
    return got == rounded || std::fabs(want) > format.largest * (1 - 0x1p-20L) ? 0 : wrong;
  if (want == 0 && (got != 0 || std::signbit(got) != std::signbit(want))) return wrong;
  return static_cast<double>(std::fabs(got - want) / ulp(format, want));
}

/// The largest error, and where it is.
struct Worst {
  double error = 0;
  std::string where;

  template <class Describe>
  void add(double ulps, Describe describe) {
    if (ulps <= error) return;
    error = ulps;
    where = describe();
  }
};

std::vector<double> computed(const Format& format, const std::string& op, const std::vector<std::vector<double>>& operands) {
  const std::string type = std::string(name_of(format.dtype)) + "[" + std::to_string(operands[0].size()) + "]";
  std::string inputs, arguments;
  std::vector<Array> arrays;
  for (const std::vector<double>& values : operands) {
    const std::string name = "%x" + std::to_string(arrays.size());
    inputs += "  input " + name + ": " + type + "\n";
    arguments += (arguments.empty() ? "" : ", ") + name;
    arrays.emplace_back(format.dtype, Shape{static_cast<int64_t>(values.size())});
    for (size_t i = 0; i < values.size(); ++i) arrays.back().set(static_cast<int64_t>(i), values[i]);
  }
  const std::string text = "weft 1\nfunc @f {\n" + inputs + "  %0 = " + op + "(" + arguments + ") : " + type + "\n  output y = %0\n}\n";
  const Array y = test::run_cpu(text, arrays).values[0];
  std::vector<double> results;
  for (int64_t i = 0; i < y.shape().numel(); ++i) results.push_back(y.at(i));
  return results;
}

Worst largest_error(const Format& format, const std::string& op, Exact exact, const std::vector<double>& x) {
  const std::vector<double> y = computed(format, op, {x});
  Worst worst;
  for (size_t i = 0; i < x.size(); ++i)
    worst.add(error_ulps(format, y[i], exact(x[i])), [&] { return fmt::format("{}({}) = {}", op, x[i], y[i]); });
  return worst;
}

Worst largest_error(const Format& format, const std::string& op, Exact exact) {
  return largest_error(format, op, exact, every_exponent(format, format.dtype == f32 ? 2048 : 128));
}

/// x^y for x of either sign and every kind of y: so that results cover all magnitudes, whole numbers, special values.
Worst largest_pow_error(const Format& format) {
  std::vector<double> x, y;
  const auto add = [&](double base, double exponent) {
    x.push_back(base);
    y.push_back(exponent);
  };
  const double largest = std::log2(static_cast<double>(format.largest));
  const auto in_format = [&](double v) { return format.dtype == f32 ? static_cast<float>(v) : v; };
  for (double base : every_exponent(format, 48, format.dtype == f32 ? 4 : 33))
    for (int i = -40; i <= 40; ++i) {
      const double octaves = std::fabs(std::log2(std::fabs(base)));
      if (octaves > 0 && std::isfinite(octaves)) add(base, in_format(1.1 * largest / octaves * i / 40));
    }
  // Near 1, where the logarithm's last bits count most.
  for (int i = -2000; i <= 2000; ++i)
    if (i) add(in_format(1 + i * 0x1p-23), in_format(largest / std::log2(1 + i * 0x1p-23) * (i % 97) / 97));
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  const double special[] = {0.0, -0.0, 1, -1, 2, -2, 3, -3, 0.5, -0.5, 1.5, -1.5, 0x1p53, 0x1p53 - 1, -0x1p60, 1e30, inf, -inf, nan};
  for (double base : special)
    for (double exponent : special) add(in_format(base), in_format(exponent));
  for (double base : {-1.5, -0.7, -3.0})
    for (int exponent = -30; exponent <= 30; ++exponent) add(in_format(base), exponent);
  const std::vector<double> z = computed(format, "pow", {x, y});
  Worst worst;
  for (size_t i = 0; i < x.size(); ++i)
    worst.add(error_ulps(format, z[i], std::pow(Wide(x[i]), Wide(y[i]))),
              [&] { return fmt::format("pow({}, {}) = {}", x[i], y[i], z[i]); });
  return worst;
}

/// The C library's function in the wider type, "sinl" for sin.
Exact c_function(std::string_view name) {
  void* const found = dlsym(RTLD_DEFAULT, (std::string(name) + "l").c_str());
  REQUIRE(found);
  return reinterpret_cast<Exact>(found);
}

void check_below(const Worst& worst, double bound) {
  INFO(worst.where << " is off by " << worst.error << " ulp");
  CHECK(worst.error < bound);
}

}  // namespace

TEST_CASE("every generated function is within its bound") {
  int checked = 0;
  for (const codegen::FunctionBound& f : codegen::function_bounds()) {
    INFO(f.name);
    REQUIRE(ir::registry().find(f.name));
    if (f.operands == 2) {
      REQUIRE(f.name == "pow");
      check_below(largest_pow_error(single), f.f32_ulps);
      check_below(largest_pow_error(twice), f.f64_ulps);
    } else {
      check_below(largest_error(single, std::string(f.name), c_function(f.name)), f.f32_ulps);
      check_below(largest_error(twice, std::string(f.name), c_function(f.name)), f.f64_ulps);
    }
    ++checked;
  }
  CHECK(checked >= 9);
}

TEST_CASE("generated f32 sin and cos are within 2 ulp close to multiples of pi/2") {
  // Of all f32 numbers, those closest to a multiple for their size, down to 1e-9 turns, over all exponents.
  std::vector<double> x = {0x1.2d97c8p+2,   0x1.f9cbe2p+7,   0x1.9a48dep+15,  0x1.4665d2p+25,  0x1.47d0fep+34, 0x1.628d4cp+40,
                           0x1.0f79a0p+57,  0x1.130930p+76,  0x1.32ede2p+85,  0x1.abb4b0p+89,  0x1.f37c8ap+95, 0x1.7f4134p+101,
                           0x1.b08c4ap+111, 0x1.d8660ap+121, 0x1.fe037ap+122, 0x1.7b9b40p+126, 0x1.7b9b40p+127};
  for (int i = 1; i < 200; ++i) {
    const auto nearest = static_cast<float>(i * std::acos(Wide(-1)) / 2);
    for (float v : {std::nextafter(nearest, 0.0f), nearest, std::nextafter(nearest, std::numeric_limits<float>::infinity())})
      x.push_back(v);
  }
  for (size_t i = x.size(); i-- > 0;) x.push_back(-x[i]);
  check_below(largest_error(single, "sin", std::sin, x), 2);
  check_below(largest_error(single, "cos", std::cos, x), 2);
}

TEST_CASE("several calls of a long function share its code") {
  ir::Module module = ir::parse(R"(weft 1
func @f {
  input %x: f64[]
  input %y: f64[]
  %0 = pow(%x, %y) : f64[]
  %1 = pow(%0, %x) : f64[]
  output z = %1
}
)");
  passes::run(module, passes::pipeline("compile"), cpu::target());
  std::vector<KernelText> kernels;
  cpu::compile(module, {}, &kernels);
  REQUIRE(kernels.size() == 1);
  CHECK(kernels[0].as(CodeKind::llvm_ir).find("call fastcc double @weft.pow.f64x1(") != std::string::npos);
}
