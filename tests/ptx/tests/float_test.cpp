// Floating types, against C++ and against what the formats say.

#include <cfenv>
#include <cmath>
#include <limits>

#include "weft/tests/catch.h"
#include "weft/tests/ptx/tests/kernels.h"

using namespace weft::test::ptx;

namespace {

template <class T>
std::vector<T> corners() {
  std::vector<T> all;
  if constexpr (sizeof(T) == 4)
    for (uint32_t bits : f32_corners) all.push_back(std::bit_cast<float>(bits));
  else
    for (uint64_t bits : f64_corners) all.push_back(std::bit_cast<double>(bits));
  return all;
}

/// The quiet nan of C++ has other bits than the hardware's, of which f64 leaves open what they are.
template <class T, class F>
void add_binary(std::vector<Case>& cases, const std::string& opcode, F f) {
  const std::string type = sizeof(T) == 4 ? ".f32 %f0, " : ".f64 %fd0, ";
  for (T a : corners<T>())
    for (T b : corners<T>()) {
      const T want = f(a, b);
      if (sizeof(T) == 8 && std::isnan(want)) continue;
      cases.push_back({opcode + type + literal(a) + ", " + literal(b), bits_of(want)});
    }
}

template <class T, class F>
T with_direction(int direction, T a, T b, F f) {
  volatile T x = a, y = b;
  std::fesetround(direction);
  volatile T z = f(static_cast<T>(x), static_cast<T>(y));
  std::fesetround(FE_TONEAREST);
  return z;
}

template <class T>
void add_arithmetic(std::vector<Case>& cases) {
  const std::pair<std::string, int> directions[] = {
      {".rn", FE_TONEAREST}, {".rz", FE_TOWARDZERO}, {".rm", FE_DOWNWARD}, {".rp", FE_UPWARD}};
  for (const auto& [name, direction] : directions) {
    const auto in = [d = direction](auto f) { return [d, f](T a, T b) { return with_direction(d, a, b, f); }; };
    add_binary<T>(cases, "add" + name, in([](T a, T b) { return a + b; }));
    add_binary<T>(cases, "sub" + name, in([](T a, T b) { return a - b; }));
    add_binary<T>(cases, "mul" + name, in([](T a, T b) { return a * b; }));
    add_binary<T>(cases, "div" + name, in([](T a, T b) { return a / b; }));
  }
}

}  // namespace

TEST_CASE("ptx machine: f32 arithmetic in every direction", "[ptx-machine]") {
  std::vector<Case> cases;
  add_arithmetic<float>(cases);
  check_cases(cases);
}

TEST_CASE("ptx machine: f64 arithmetic in every direction", "[ptx-machine]") {
  std::vector<Case> cases;
  add_arithmetic<double>(cases);
  check_cases(cases);
}

TEST_CASE("ptx machine: one rounding of fma, roots, reciprocals, saturation", "[ptx-machine]") {
  check_cases({
      {"fma.rn.f32 %f0, 0f3F800001, 0f3F800001, 0fBF800002", bits_of(std::fma(0x1.000002p0f, 0x1.000002p0f, -0x1.000004p0f))},
      {"fma.rn.f32 %f0, 0f3F800001, 0f3F7FFFFE, 0fBF800000", 0xa8800000},
      {"fma.rz.f32 %f0, 0f3F800000, 0f3F800000, 0f33000000", 0x3f800000},
      {"fma.rp.f32 %f0, 0f3F800000, 0f3F800000, 0f33000000", 0x3f800001},
      {"fma.rn.f64 %fd0, 0d3FF0000000000001, 0d3FF0000000000001, 0dBFF0000000000002", bits_of(0x1p-104)},
      {"fma.rn.f32 %f0, 0f7F800000, 0f00000000, 0f3F800000", 0x7fffffff},
      {"sqrt.rn.f32 %f0, 0f40000000", 0x3fb504f3},
      {"sqrt.rp.f32 %f0, 0f40000000", 0x3fb504f4},
      {"sqrt.rn.f32 %f0, 0f80000000", 0x80000000},
      {"sqrt.rn.f32 %f0, 0fBF800000", 0x7fffffff},
      {"sqrt.rn.f64 %fd0, 0d4000000000000000", bits_of(std::sqrt(2.0))},
      {"rcp.rn.f32 %f0, 0f40400000", bits_of(1 / 3.0f)},
      {"rcp.rn.f32 %f0, 0f80000000", 0xff800000},
      {"rcp.rz.f32 %f0, 0f40400000", 0x3eaaaaaa},
      {"rcp.rn.f64 %fd0, 0d4008000000000000", bits_of(1 / 3.0)},
      {"add.rn.sat.f32 %f0, 0f3F800000, 0f3F800000", 0x3f800000},
      {"sub.rn.sat.f32 %f0, 0f3F800000, 0f40000000", 0},
      {"mul.rn.sat.f32 %f0, 0f7FC00000, 0f40000000", 0},
      {"fma.rn.sat.f32 %f0, 0f3F000000, 0f3F000000, 0f00000000", 0x3e800000},
      {"neg.f32 %f0, 0f00000000", 0x80000000},
      {"abs.f32 %f0, 0f80000000", 0},
      {"neg.f64 %fd0, 0dBFF0000000000000", bits_of(1.0)},
      {"abs.f64 %fd0, 0dFFF0000000000000", bits_of(std::numeric_limits<double>::infinity())},
      {"copysign.f32 %f0, 0f80000000, 0f40000000", 0xc0000000},
      {"copysign.f64 %fd0, 0d0000000000000000, 0dBFF0000000000000", bits_of(1.0)},
  });
}

TEST_CASE("ptx machine: the lesser and the greater, of nan and of zeros", "[ptx-machine]") {
  check_cases({
      {"min.f32 %f0, 0f80000000, 0f00000000", 0x80000000},
      {"min.f32 %f0, 0f00000000, 0f80000000", 0x80000000},
      {"max.f32 %f0, 0f80000000, 0f00000000", 0},
      {"max.f32 %f0, 0f7FC00000, 0f3F800000", 0x3f800000},
      {"min.f32 %f0, 0f3F800000, 0f7FC00000", 0x3f800000},
      {"max.f32 %f0, 0f7FC00000, 0fFFC00000", 0x7fffffff},
      {"max.NaN.f32 %f0, 0f7FC00000, 0f3F800000", 0x7fffffff},
      {"min.NaN.f32 %f0, 0f40000000, 0f3F800000", 0x3f800000},
      {"min.f64 %fd0, 0d7FF8000000000000, 0d3FF0000000000000", bits_of(1.0)},
      {"max.f64 %fd0, 0d8000000000000000, 0d0000000000000000", 0},
      {"mov.b16 %h1, 0x7e00; mov.b16 %h2, 0x3c00; max.f16 %h0, %h1, %h2", 0x3c00},
      {"max.NaN.f16 %h0, %h1, %h2", 0x7fff},
      {"mov.b16 %h1, 0xbf80; mov.b16 %h2, 0x3f80; min.bf16 %h0, %h1, %h2", 0xbf80},
      {"mov.b32 %r1, 0xbc003c00; mov.b32 %r2, 0x3c004000; max.f16x2 %r0, %r1, %r2", 0x3c004000},
  });
}

TEST_CASE("ptx machine: comparisons of floating types", "[ptx-machine]") {
  struct Row {
    const char* name;
    int less, equal, greater, unordered;
  };
  std::vector<Case> cases;
  for (const Row& row :
       {Row{"eq", 0, 1, 0, 0}, Row{"ne", 1, 0, 1, 0}, Row{"lt", 1, 0, 0, 0}, Row{"le", 1, 1, 0, 0}, Row{"gt", 0, 0, 1, 0},
        Row{"ge", 0, 1, 1, 0}, Row{"equ", 0, 1, 0, 1}, Row{"neu", 1, 0, 1, 1}, Row{"ltu", 1, 0, 0, 1}, Row{"leu", 1, 1, 0, 1},
        Row{"gtu", 0, 0, 1, 1}, Row{"geu", 0, 1, 1, 1}, Row{"num", 1, 1, 1, 0}, Row{"nan", 0, 0, 0, 1}}) {
    const std::string f = "setp." + std::string(row.name) + ".f32 %p0, ", g = "setp." + std::string(row.name) + ".f64 %p0, ";
    const auto number = [](int x) { return static_cast<uint64_t>(x); };
    cases.push_back({f + "0fBF800000, 0f3F800000", number(row.less)});
    cases.push_back({f + "0f80000000, 0f00000000", number(row.equal)});
    cases.push_back({f + "0f7F800000, 0f7F7FFFFF", number(row.greater)});
    cases.push_back({f + "0f7FC00000, 0f7FC00000", number(row.unordered)});
    cases.push_back({g + "0dBFF0000000000000, 0d7FF0000000000000", number(row.less)});
    cases.push_back({g + "0d8000000000000000, 0d0000000000000000", number(row.equal)});
    cases.push_back({g + "0d3FF0000000000000, 0d0000000000000001", number(row.greater)});
    cases.push_back({g + "0d3FF0000000000000, 0d7FF8000000000000", number(row.unordered)});
    cases.push_back(
        {"mov.b16 %h1, 0x7e00; mov.b16 %h2, 0x3c00; setp." + std::string(row.name) + ".f16 %p0, %h1, %h2", number(row.unordered)});
  }
  cases.push_back({"testp.finite.f32 %p0, 0f7F800000", 0});
  cases.push_back({"testp.infinite.f32 %p0, 0fFF800000", 1});
  cases.push_back({"testp.number.f64 %p0, 0d7FF8000000000000", 0});
  cases.push_back({"testp.notanumber.f32 %p0, 0f7FC00000", 1});
  cases.push_back({"testp.normal.f32 %p0, 0f00000001", 0});
  cases.push_back({"testp.subnormal.f64 %p0, 0d0000000000000001", 1});
  check_cases(cases);
}

TEST_CASE("ptx machine: halves round once", "[ptx-machine]") {
  check_cases({
      {"mov.b16 %h1, 0x3c00; mov.b16 %h2, 0x1000; add.rn.f16 %h0, %h1, %h2", 0x3c00},  // 1 + 2^-11: a tie, to even
      {"mov.b16 %h1, 0x3c01; mov.b16 %h2, 0x1000; add.rn.f16 %h0, %h1, %h2", 0x3c02},  // and from odd
      {"mov.b16 %h1, 0x3c00; mov.b16 %h2, 0x1001; add.rn.f16 %h0, %h1, %h2", 0x3c01},
      {"mov.b16 %h1, 0x7bff; mov.b16 %h2, 0x4c00; add.rn.f16 %h0, %h1, %h2", 0x7c00},  // 65504 + 16
      {"mov.b16 %h1, 0x0001; mov.b16 %h2, 0x3800; mul.rn.f16 %h0, %h1, %h2", 0x0000},  // half of the least
      {"mov.b16 %h1, 0x0003; mov.b16 %h2, 0x3800; mul.rn.f16 %h0, %h1, %h2", 0x0002},
      {"mov.b16 %h1, 0x8000; mov.b16 %h2, 0x8000; sub.rn.f16 %h0, %h1, %h2", 0x0000},
      {"neg.f16 %h0, %h1", 0x0000},
      {"mov.b16 %h1, 0xbf80; abs.bf16 %h0, %h1", 0x3f80},
      // 1.0078125 * 0.9921875 - 1 = -2^-14; then a third operand so small that a rounding in f64 would lose it
      {"mov.b16 %h1, 0x3f81; mov.b16 %h2, 0x3f7e; mov.b16 %h3, 0xbf80; fma.rn.bf16 %h0, %h1, %h2, %h3", 0xb880},
      {"mov.b16 %h1, 0x3f81; mov.b16 %h2, 0x3f81; mov.b16 %h3, 0x0001; fma.rn.bf16 %h0, %h1, %h2, %h3", 0x3f82},
      {"mov.b16 %h1, 0x3fc0; mov.b16 %h2, 0x3f81; mov.b16 %h3, 0x0001; fma.rn.bf16 %h0, %h1, %h2, %h3", 0x3fc2},  // behind a tie
      {"mov.b16 %h3, 0x8001; fma.rn.bf16 %h0, %h1, %h2, %h3", 0x3fc1},                                            // before it
      {"mov.b16 %h3, 0x8000; fma.rn.bf16 %h0, %h1, %h2, %h3", 0x3fc2},                                            // a tie, to even
      {"mov.b32 %r1, 0x3c003c01; mov.b32 %r2, 0x10011000; add.rn.f16x2 %r0, %r1, %r2", 0x3c013c02},
      {"mov.b32 %r1, 0x3f803f80; mov.b32 %r2, 0x40003f80; mov.b32 %r3, 0xbf800000; fma.rn.bf16x2 %r0, %r1, %r2, %r3", 0x3f803f80},
  });
}
