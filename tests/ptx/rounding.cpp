#include "weft/tests/ptx/rounding.h"

#include <bit>
#include <cfenv>
#include <cmath>
#include <cstring>
#include <limits>

namespace weft::test::ptx {

long double rounded_to_integer(long double x, Rounding rounding) {
  switch (rounding) {
    case Rounding::nearest: return std::nearbyint(x);
    case Rounding::zero: return std::trunc(x);
    case Rounding::down: return std::floor(x);
    case Rounding::up: return std::ceil(x);
    case Rounding::away: return std::round(x);
  }
  return x;
}

long double rounded(long double x, Format format, Rounding rounding) {
  if (x == 0 || !std::isfinite(x)) return x;
  int exponent;
  std::frexp(x, &exponent);  // of 0.1xxx
  const int unit = std::max(exponent - 1, format.min_exponent) - format.precision + 1;
  const long double y = std::ldexp(rounded_to_integer(std::ldexp(x, -unit), rounding), unit);
  const long double largest = std::ldexp(std::ldexp(1.0L, format.precision) - 1, format.max_exponent - format.precision + 1);
  if (std::fabs(y) <= largest) return std::copysign(y, x);
  const bool to_largest = rounding == Rounding::zero || (rounding == Rounding::down && x > 0) || (rounding == Rounding::up && x < 0);
  return std::copysign(to_largest ? largest : std::numeric_limits<long double>::infinity(), x);
}

namespace {

/// The bits of a number that the format holds; nan is 0x7fff in both.
uint16_t half_bits(long double x, Format format, int exponent_bits) {
  if (std::isnan(x)) return 0x7fff;
  const int fraction_bits = 15 - exponent_bits;
  const uint32_t sign = std::signbit(x) ? 0x8000 : 0;
  const uint32_t infinity = ((1u << exponent_bits) - 1) << fraction_bits;
  if (std::isinf(x)) return static_cast<uint16_t>(sign | infinity);
  if (x == 0) return static_cast<uint16_t>(sign);
  int exponent;
  std::frexp(x, &exponent);
  const int e = std::max(exponent - 1, format.min_exponent);
  // A subnormal number has no leading 1 that the exponent would count.
  const auto fraction = static_cast<uint32_t>(std::ldexp(std::fabs(x), fraction_bits - e));
  const auto biased = static_cast<uint32_t>(e - format.min_exponent);
  return static_cast<uint16_t>(sign | ((biased << fraction_bits) + fraction));
}

/// a + b where what is lost shows in the last bit: rounded once more, to a format of at most 51 bits, it is as if rounded once.
double odd_sum(double a, double b) {
  const double sum = a + b;
  if (!std::isfinite(sum)) return sum;
  const double of_b = sum - a, lost = (a - (sum - of_b)) + (b - of_b);
  if (lost == 0 || (std::bit_cast<uint64_t>(sum) & 1)) return sum;
  return std::nextafter(sum, lost > 0 ? std::numeric_limits<double>::infinity() : -std::numeric_limits<double>::infinity());
}

int direction(Rounding rounding) {
  switch (rounding) {
    case Rounding::zero: return FE_TOWARDZERO;
    case Rounding::down: return FE_DOWNWARD;
    case Rounding::up: return FE_UPWARD;
    case Rounding::nearest:
    case Rounding::away: return FE_TONEAREST;
  }
  return FE_TONEAREST;
}

}  // namespace

double to_double(F16 x) {
  const int exponent = (x.bits >> 10) & 31, fraction = x.bits & 1023;
  double value = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
  if (exponent == 31) value = fraction ? std::numeric_limits<double>::quiet_NaN() : std::numeric_limits<double>::infinity();
  return x.bits & 0x8000 ? -value : value;
}

double to_double(BF16 x) { return std::bit_cast<float>(uint32_t{x.bits} << 16); }

F16 to_f16(long double x, Rounding rounding) { return {half_bits(rounded(x, f16_format, rounding), f16_format, 5)}; }
BF16 to_bf16(long double x, Rounding rounding) { return {half_bits(rounded(x, bf16_format, rounding), bf16_format, 8)}; }
template <>
F16 to_half<F16>(long double x, Rounding rounding) {
  return to_f16(x, rounding);
}
template <>
BF16 to_half<BF16>(long double x, Rounding rounding) {
  return to_bf16(x, rounding);
}

// The product of two halves is exact in f64.
F16 fma(F16 a, F16 b, F16 c) { return to_f16(odd_sum(to_double(a) * to_double(b), to_double(c)), Rounding::nearest); }
BF16 fma(BF16 a, BF16 b, BF16 c) { return to_bf16(odd_sum(to_double(a) * to_double(b), to_double(c)), Rounding::nearest); }
F16 add(F16 a, F16 b) { return to_f16(odd_sum(to_double(a), to_double(b)), Rounding::nearest); }
BF16 add(BF16 a, BF16 b) { return to_bf16(odd_sum(to_double(a), to_double(b)), Rounding::nearest); }
F16 multiply(F16 a, F16 b) { return to_f16(to_double(a) * to_double(b), Rounding::nearest); }
BF16 multiply(BF16 a, BF16 b) { return to_bf16(to_double(a) * to_double(b), Rounding::nearest); }

WithRounding::WithRounding(Rounding rounding) : before_(std::fegetround()) { std::fesetround(direction(rounding)); }
WithRounding::~WithRounding() { std::fesetround(before_); }

}  // namespace weft::test::ptx
