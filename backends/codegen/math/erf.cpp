#include <llvm/IR/Intrinsics.h>

#include "weft/backends/codegen/math/math.h"

namespace weft::codegen {

using llvm::Value;

// x + x P(x^2) near 0, 1 - e^Q(|x|) elsewhere; the minimax coefficients are N. Juffa's.
Value* emit_erf(IRBuilder& b, Value* x) {
  if (!is_f32(x)) return call_libm(b, "erf", {x});
  Value* a = b.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, x);
  Value* s = b.CreateFMul(x, x);
  Value* p = horner(b, s, {-5.96761703e-4, 4.99119423e-3, -2.67681349e-2, 1.12819925e-1, -3.76125336e-1, 1.28379166e-1});
  Value* small = emit_fma(b, p, x, x);
  Value* r = horner(b, a, {-1.72853470e-5, 3.83197126e-4});
  Value* u = horner(b, a, {-3.88396438e-3, 2.42546219e-2});
  r = emit_fma(b, r, s, u);
  for (double c : {-1.06777877e-1, -6.34846687e-1, -1.28717512e-1}) r = emit_fma(b, r, a, number(x, c));
  r = emit_fma(b, r, a, b.CreateFNeg(a));
  Value* large = b.CreateFSub(number(x, 1), emit_exp(b, r));
  // Beyond 4 the polynomial overflows for infinite x; erf is 1 there.
  large = b.CreateSelect(b.CreateFCmpOGT(a, number(x, 4)), number(x, 1), large);
  large = b.CreateBinaryIntrinsic(llvm::Intrinsic::copysign, large, x);
  return b.CreateSelect(b.CreateFCmpOLE(a, number(x, 0.927734375)), small, large);
}

}  // namespace weft::codegen
