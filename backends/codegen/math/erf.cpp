#include <numbers>

#include "weft/backends/codegen/math/math.h"

namespace weft::codegen {
namespace {

using llvm::Value;

/// |erf(x)| as 1 - e^t, t = -(a + a P(a)): with e^t = 2^n (1 + w) that is (1 - 2^n) - 2^n w, which is -w, as exact as t, where a is
/// small. P = -ln(erfc(a)) / a - 1 is the polynomial whose error has the least effect on the result, 2^-27.9 of it.
Value* erf_f32(IRBuilder& b, Value* a) {
  a = at_most(b, a, 4);  // 1 to the last bit from 3.92 on
  Value* p = horner(b, a,
                    {9.256265886576688e-06, -0.00011764127794564978, 0.0006328368794961258, -0.0016670275080614828, 0.00016039611757898424,
                     0.019153063870737612, -0.1027778304974721, -0.6366193819677805, -0.1283791716112721});
  Value* t = emit_fma(b, p, a, b.CreateFNeg(a));
  Value* magic = number(t, 0x1.8p23);  // leaves the rounded integer in the low bits
  Value* shifted = emit_fma(b, t, number(t, std::numbers::log2e), magic);
  Value* r = emit_fma(b, b.CreateFSub(shifted, magic), number(t, -std::numbers::ln2), t);
  Value* w = emit_small_expm1(b, r);
  Value* power = float_of(b, b.CreateAdd(b.CreateShl(bits_of(b, shifted), integer(bits_of(b, t), 23)), bits_of(b, number(t, 1))));
  return emit_fma(b, b.CreateFNeg(power), w, b.CreateFSub(number(t, 1), power));
}

/// |erf(x)| as a + a P(a^2) up to 1, 1 - e^(-a^2) G((a - 3) / (a + 3)) beyond; both by Chebyshev interpolation, within
/// 2^-62 and, up to 6, 2^-57.
Value* erf_f64(IRBuilder& b, Value* a) {
  a = at_most(b, a, 6.5);  // 1 to the last bit from 6 on
  Value* s = normal_square(b, a);
  Value* p = horner(b, s,
                    {5.957176147748911e-11, -1.1372848856791674e-09, 1.4659775274047436e-08, -1.6350312701054695e-07,
                     1.6461000484121368e-06, -1.4925595266831182e-05, 0.0001205533111164271, -0.000854832698083379, 0.0052239776248180145,
                     -0.026866170645076792, 0.11283791670954879, -0.3761263890318375, 0.1283791670955126});
  Value* small = emit_fma(b, p, a, a);
  Value* t = b.CreateFDiv(b.CreateFSub(a, number(a, 3)), b.CreateFAdd(a, number(a, 3)));
  Value* g = horner(
      b, t,
      {3.3813551420429039e-09, 1.2755818949624478e-06, 2.0135111426447427e-06, -8.00978093907608e-06, -1.2845780030775907e-05,
       6.4062792260460386e-05, 4.5254345589910087e-05, -0.00059706249649245445, 0.00070774646669414252, 0.0042691363569612251,
       -0.024392499318915004, 0.071665837197473076, -0.15011593650077898, 0.24560380171233487, -0.32623356004303722, 0.17900115118138996});
  Value* large = b.CreateFSub(number(a, 1), b.CreateFMul(emit_exp(b, b.CreateFNeg(s)), g));
  return b.CreateSelect(b.CreateFCmpOLE(a, number(a, 1)), small, large);
}

}  // namespace

Value* emit_erf(IRBuilder& b, Value* x) {
  Value* a = emit_fabs(b, x);
  return emit_copysign(b, is_f32(x) ? erf_f32(b, a) : erf_f64(b, a), x);
}

}  // namespace weft::codegen
