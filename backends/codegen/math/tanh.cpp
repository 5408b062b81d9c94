#include "weft/backends/codegen/math/math.h"

namespace weft::codegen {
namespace {

using llvm::Value;

/// An odd polynomial near 0, 1 - 2 / (e^2|x| + 1) elsewhere; coefficients as in Cephes' tanhf (S. Moshier).
Value* tanh_f32(IRBuilder& b, Value* x) {
  Value* a = emit_fabs(b, x);
  Value* z = b.CreateFMul(x, x);
  Value* p = horner(b, z, {-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1});
  Value* small = emit_fma(b, b.CreateFMul(p, z), a, a);
  Value* e = emit_exp(b, b.CreateFAdd(a, a));
  Value* large = b.CreateFSub(number(x, 1), b.CreateFDiv(number(x, 2), b.CreateFAdd(e, number(x, 1))));
  return b.CreateSelect(b.CreateFCmpOLT(a, number(x, 0.625)), small, large);
}

/// With E = e^2|x| - 1: E / (E + 2) near 0, 1 - 2 / (E + 2) elsewhere.
Value* tanh_f64(IRBuilder& b, Value* x) {
  Value* a = emit_fabs(b, x);
  Value* e = emit_expm1(b, b.CreateFAdd(a, a));
  Value* is_small = b.CreateFCmpOLT(a, number(x, 0.5));
  Value* quotient = b.CreateFDiv(b.CreateSelect(is_small, e, number(x, 2)), b.CreateFAdd(e, number(x, 2)));
  return b.CreateSelect(is_small, quotient, b.CreateFSub(number(x, 1), quotient));
}

}  // namespace

Value* emit_tanh(IRBuilder& b, Value* x) {
  return emit_copysign(b, is_f32(x) ? tanh_f32(b, x) : tanh_f64(b, x), x);
}

}  // namespace weft::codegen
