#include <limits>

#include "weft/backends/codegen/math/math.h"

namespace weft::codegen {

using llvm::Value;

// log(x) = e ln 2 + log(m) with x = m 2^e and sqrt(1/2) <= m < sqrt(2); coefficients as in Cephes' logf (S. Moshier).
Value* emit_log(IRBuilder& b, Value* x) {
  if (!is_f32(x)) return call_libm(b, "log", {x});
  Value* tiny = b.CreateFCmpOLT(x, number(x, 0x1p-126));
  Value* scaled = b.CreateSelect(tiny, b.CreateFMul(x, number(x, 0x1p23)), x);
  Value* bits = bits_of(b, scaled);
  // Subtracting the bits of sqrt(1/2) puts the exponent of m's interval into the upper bits.
  Value* offset = b.CreateSub(bits, integer(bits, 0x3f3504f3));
  Value* exponent = b.CreateAShr(offset, integer(bits, 23));
  Value* m = float_of(b, b.CreateSub(bits, b.CreateShl(exponent, integer(bits, 23))));
  Value* e = b.CreateSIToFP(exponent, x->getType());
  e = b.CreateFSub(e, b.CreateSelect(tiny, number(x, 23), number(x, 0)));
  Value* f = b.CreateFSub(m, number(x, 1));
  Value* z = b.CreateFMul(f, f);
  Value* p = horner(b, f, {7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
                           -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1});
  Value* y = b.CreateFMul(b.CreateFMul(p, f), z);
  y = emit_fma(b, e, number(x, -2.12194440e-4), y);
  y = emit_fma(b, z, number(x, -0.5), y);
  Value* result = emit_fma(b, e, number(x, 0.693359375), b.CreateFAdd(f, y));
  constexpr double inf = std::numeric_limits<double>::infinity();
  result = b.CreateSelect(b.CreateFCmpOEQ(x, number(x, inf)), x, result);
  result = b.CreateSelect(b.CreateFCmpOEQ(x, number(x, 0)), number(x, -inf), result);
  // Negative numbers, and nan itself.
  Value* nan = number(x, std::numeric_limits<double>::quiet_NaN());
  return b.CreateSelect(b.CreateFCmpULT(x, number(x, 0)), nan, result);
}

}  // namespace weft::codegen
