#pragma once
// Exact rounding to every format and in every direction.
//
// long double holds every f64, s64 and u64 exactly where it has 64 bits of precision or more, so that one conversion is one rounding.

#include <cfloat>
#include <cstdint>

namespace weft::test::ptx {

static_assert(LDBL_MANT_DIG >= 64, "rounding needs a type that holds each 64-bit integer");

enum class Rounding : uint8_t { nearest, zero, down, up, away };  // nearest: ties to even; away: ties away from zero

/// A binary format with subnormals; exponents of 1.xxx * 2^e.
struct Format {
  int precision, min_exponent, max_exponent;
};
inline constexpr Format f16_format{11, -14, 15}, bf16_format{8, -126, 127}, tf32_format{11, -126, 127}, f32_format{24, -126, 127},
    f64_format{53, -1022, 1023};

/// In that direction; nan and infinities stay.
long double rounded_to_integer(long double x, Rounding rounding);
/// Overflow gives infinity or the largest number, as the direction says.
long double rounded(long double x, Format format, Rounding rounding);

struct F16 {
  uint16_t bits;
};
struct BF16 {
  uint16_t bits;
};
/// Two halves in a 32-bit register, `low` in its low bits.
template <class Half>
struct Pair {
  Half low, high;
};

double to_double(F16 x);
double to_double(BF16 x);
/// Every nan becomes 0x7fff, as on the hardware.
F16 to_f16(long double x, Rounding rounding);
BF16 to_bf16(long double x, Rounding rounding);
/// The same for a type that is known by name.
template <class Half>
Half to_half(long double x, Rounding rounding);

/// a * b + c with one rounding; add and multiply are special cases.
F16 fma(F16 a, F16 b, F16 c);
BF16 fma(BF16 a, BF16 b, BF16 c);
F16 add(F16 a, F16 b);
BF16 add(BF16 a, BF16 b);
F16 multiply(F16 a, F16 b);
BF16 multiply(BF16 a, BF16 b);

/// Computes with the processor's rounding set so, for operations of f32 and f64. The operation must read its operands from volatile
/// memory inside, or the compiler may compute before.
class WithRounding {
 public:
  explicit WithRounding(Rounding rounding);
  ~WithRounding();
  WithRounding(const WithRounding&) = delete;
  WithRounding& operator=(const WithRounding&) = delete;

 private:
  int before_;
};

}  // namespace weft::test::ptx
