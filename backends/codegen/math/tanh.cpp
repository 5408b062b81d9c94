#include "weft/backends/codegen/math/math.h"

namespace weft::codegen {
namespace {

using llvm::Value;

/// t = E / (E + 1) with E = (e^2a - 1) / 2 and a = |x|. Where 2a = n ln 2 + 2u with an integer n and 0 <= 2u <= ln 2, E is
/// 2^n P + (2^n - 1) / 2 with P = (e^2u - 1) / 2, of which both terms are positive: nothing cancels, near 0 either.
Value* tanh_f32(IRBuilder& b, Value* x) {
  Value* a = at_most(b, emit_fabs(b, x), 10);  // 1 to the last bit from here on
  Value* magic = number(x, 0x1.8p23);
  // The whole part of 2a / ln 2, which stands in the low bits of `shifted`.
  Value* shifted = b.CreateFAdd(emit_fma(b, a, number(x, 2.8853900817779268), number(x, -0.5)), magic);
  // What ln 2 loses as one f32 counts less than E grows with n.
  Value* u = emit_fma(b, b.CreateFSub(shifted, magic), number(x, -0.34657359027997264), a);
  // (e^2u - 1 - 2u) / 2u, by Chebyshev interpolation.
  Value* q = horner(b, u, {0.0165306872, 0.0428817544, 0.133619197, 0.333310061, 0.666667344, 0.999999997});
  Value* p = emit_fma(b, b.CreateFMul(q, u), u, u);
  Value* bits = bits_of(b, shifted);
  Value* power = float_of(b, b.CreateAdd(b.CreateShl(bits, integer(bits, 23)), integer(bits, int64_t{127} << 23)));
  Value* e = emit_fma(b, power, p, emit_fma(b, power, number(x, 0.5), number(x, -0.5)));
  // E - E t near 0, where E + 1 loses the last bits of E.
  Value* t = b.CreateFDiv(e, b.CreateFAdd(e, number(x, 1)));
  return b.CreateSelect(b.CreateFCmpOLT(e, number(x, 0.5)), emit_fma(b, b.CreateFNeg(e), t, e), t);
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

Value* emit_tanh(IRBuilder& b, Value* x) { return emit_copysign(b, is_f32(x) ? tanh_f32(b, x) : tanh_f64(b, x), x); }

}  // namespace weft::codegen
