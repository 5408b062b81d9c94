#include <numbers>

#include "weft/backends/codegen/math/math.h"

namespace weft::codegen {
namespace {

using llvm::Value;

/// 2^t, t in [-126, 0], within 2^-23 of itself.
Value* small_power_of_two(IRBuilder& b, Value* t) {
  Value* magic = number(t, 0x1.8p23);  // leaves the rounded integer in the low bits
  Value* shifted = b.CreateFAdd(t, magic);
  Value* f = b.CreateFSub(t, b.CreateFSub(shifted, magic));
  // By Chebyshev interpolation.
  Value* y = horner(b, f, {0.00133908634, 0.00967603192, 0.0555035711, 0.240221075, 0.693147188, 1.00000008});
  return float_of(b, b.CreateAdd(bits_of(b, y), b.CreateShl(bits_of(b, shifted), integer(bits_of(b, y), 23))));
}

/// |erf(x)| as a + a P(a^2) near 0, 1 - 2^(a Q(a)) elsewhere; the minimax coefficients are N. Juffa's, those of Q in units of
/// ln 2.
Value* erf_f32(IRBuilder& b, Value* a) {
  a = at_most(b, a, 4);  // 1 to the last bit from 3.92 on
  Value* s = normal_square(b, a);
  Value* p = horner(b, s, {-5.96761703e-4, 4.99119423e-3, -2.67681349e-2, 1.12819925e-1, -3.76125336e-1, 1.28379166e-1});
  Value* small = emit_fma(b, p, a, a);
  constexpr double unit = 1 / std::numbers::ln2;
  Value* q = horner(b, a, {-1.72853470e-5 * unit, 3.83197126e-4 * unit, -3.88396438e-3 * unit, 2.42546219e-2 * unit,
                           -1.06777877e-1 * unit, -6.34846687e-1 * unit, -1.128717512 * unit});
  Value* large = b.CreateFSub(number(a, 1), small_power_of_two(b, b.CreateFMul(a, q)));
  // Also where a is nan, which the bits of `large` do not keep.
  return b.CreateSelect(b.CreateFCmpULE(a, number(a, 0.927734375)), small, large);
}

/// |erf(x)| as a + a P(a^2) up to 1, 1 - e^(-a^2) G((a - 3) / (a + 3)) beyond; both by Chebyshev interpolation, within
/// 2^-62 and, up to 6, 2^-57.
Value* erf_f64(IRBuilder& b, Value* a) {
  a = at_most(b, a, 6.5);  // 1 to the last bit from 6 on
  Value* s = normal_square(b, a);
  Value* p = horner(b, s, {5.957176147748911e-11, -1.1372848856791674e-09, 1.4659775274047436e-08, -1.6350312701054695e-07,
                           1.6461000484121368e-06, -1.4925595266831182e-05, 0.0001205533111164271, -0.000854832698083379,
                           0.0052239776248180145, -0.026866170645076792, 0.11283791670954879, -0.3761263890318375,
                           0.1283791670955126});
  Value* small = emit_fma(b, p, a, a);
  Value* t = b.CreateFDiv(b.CreateFSub(a, number(a, 3)), b.CreateFAdd(a, number(a, 3)));
  Value* g = horner(b, t, {3.3813551420429039e-09, 1.2755818949624478e-06, 2.0135111426447427e-06, -8.00978093907608e-06,
                           -1.2845780030775907e-05, 6.4062792260460386e-05, 4.5254345589910087e-05, -0.00059706249649245445,
                           0.00070774646669414252, 0.0042691363569612251, -0.024392499318915004, 0.071665837197473076,
                           -0.15011593650077898, 0.24560380171233487, -0.32623356004303722, 0.17900115118138996});
  Value* large = b.CreateFSub(number(a, 1), b.CreateFMul(emit_exp(b, b.CreateFNeg(s)), g));
  return b.CreateSelect(b.CreateFCmpOLE(a, number(a, 1)), small, large);
}

}  // namespace

Value* emit_erf(IRBuilder& b, Value* x) {
  Value* a = emit_fabs(b, x);
  return emit_copysign(b, is_f32(x) ? erf_f32(b, a) : erf_f64(b, a), x);
}

}  // namespace weft::codegen
