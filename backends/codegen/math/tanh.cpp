#include <llvm/IR/Intrinsics.h>

#include "weft/backends/codegen/math/math.h"

namespace weft::codegen {

using llvm::Value;

// An odd polynomial near 0, 1 - 2 / (e^2|x| + 1) elsewhere; coefficients as in Cephes' tanhf (S. Moshier).
Value* emit_tanh(IRBuilder& b, Value* x) {
  if (!is_f32(x)) return call_libm(b, "tanh", {x});
  Value* a = b.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, x);
  Value* z = b.CreateFMul(x, x);
  Value* p = horner(b, z, {-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1});
  Value* small = emit_fma(b, b.CreateFMul(p, z), x, x);
  Value* e = emit_exp(b, b.CreateFAdd(a, a));
  Value* large = b.CreateFSub(number(x, 1), b.CreateFDiv(number(x, 2), b.CreateFAdd(e, number(x, 1))));
  large = b.CreateBinaryIntrinsic(llvm::Intrinsic::copysign, large, x);
  return b.CreateSelect(b.CreateFCmpOLT(a, number(x, 0.625)), small, large);
}

}  // namespace weft::codegen
