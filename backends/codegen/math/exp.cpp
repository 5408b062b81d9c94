#include "weft/backends/codegen/math/math.h"

namespace weft::codegen {

using llvm::Value;

// e^x = 2^n e^r with n = round(x / ln 2) and |r| <= ln(2) / 2; coefficients as in Cephes' expf (S. Moshier).
Value* emit_exp(IRBuilder& b, Value* x) {
  if (!is_f32(x)) return call_libm(b, "exp", {x});
  // Beyond these the result is 0 or inf in f32; comparisons with nan are false, so nan goes through.
  Value* top = b.CreateSelect(b.CreateFCmpOGT(x, number(x, 89)), number(x, 89), x);
  Value* t = b.CreateSelect(b.CreateFCmpOLT(top, number(x, -104)), number(x, -104), top);
  // Adding 1.5 * 2^23 leaves the rounded integer in the low bits.
  constexpr double magic = 12582912.0;
  Value* shifted = emit_fma(b, t, number(x, 1.44269504088896341), number(x, magic));
  Value* n = b.CreateFSub(shifted, number(x, magic));
  Value* whole = b.CreateSub(bits_of(b, shifted), integer(bits_of(b, shifted), 0x4b400000));
  Value* r = emit_fma(b, n, number(x, -0.693359375), t);
  r = emit_fma(b, n, number(x, 2.12194440e-4), r);
  Value* p = horner(b, r, {1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1,
                           5.0000001201e-1});
  Value* y = b.CreateFAdd(emit_fma(b, p, b.CreateFMul(r, r), r), number(x, 1));
  // 2^n in two factors, since n may be as low as -150 and as high as 128.
  const auto power = [&](Value* k) {
    return float_of(b, b.CreateShl(b.CreateAdd(k, integer(k, 127)), integer(k, 23)));
  };
  Value* half = b.CreateAShr(whole, integer(whole, 1));
  return b.CreateFMul(b.CreateFMul(y, power(half)), power(b.CreateSub(whole, half)));
}

}  // namespace weft::codegen
