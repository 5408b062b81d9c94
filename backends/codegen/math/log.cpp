#include <limits>

#include "weft/backends/codegen/math/math.h"

namespace weft::codegen {
namespace {

using llvm::Value;

/// The bits of sqrt(1/2).
int64_t root_bits(const Value* x) { return is_f32(x) ? 0x3f3504f3 : 0x3fe6a09e667f3bcd; }

/// How many powers of two a positive normal x lies above [sqrt(1/2), sqrt(2)), as an integer.
Value* octave(IRBuilder& b, Value* x) {
  Value* bits = bits_of(b, x);
  return b.CreateAShr(b.CreateSub(bits, integer(bits, root_bits(x))), integer(bits, significand_bits(x)));
}

/// x 2^-e for an integer e, where both are normal.
Value* lowered(IRBuilder& b, Value* x, Value* e) {
  return float_of(b, b.CreateSub(bits_of(b, x), b.CreateShl(e, integer(e, significand_bits(x)))));
}

/// e ln 2 + log(1 + f). `g` is f where the terms behind the linear one count, and may be 0 elsewhere.
Value* log_of(IRBuilder& b, Value* e, Value* f, Value* g) {
  Value* z = b.CreateFMul(g, g);
  if (is_f32(f)) {
    // As in Cephes' logf (S. Moshier).
    Value* p = horner(b, g,
                      {7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
                       2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1});
    Value* y = b.CreateFMul(b.CreateFMul(p, g), z);
    y = emit_fma(b, e, number(f, -2.12194440e-4), y);
    y = emit_fma(b, z, number(f, -0.5), y);
    return emit_fma(b, e, number(f, 0.693359375), b.CreateFAdd(f, y));
  }
  // With s = f / (2 + f): log(1 + f) = 2 atanh(s) = f - (f^2 / 2 - s (f^2 / 2 + s^2 P(s^2))). P by Chebyshev interpolation,
  // within 2^-58; the upper part of ln 2 times e is exact.
  Value* s = b.CreateFDiv(g, b.CreateFAdd(g, number(f, 2)));
  Value* s2 = b.CreateFMul(s, s);
  Value* p = horner(b, s2,
                    {0.13088034850927555, 0.13268638369266825, 0.15386244737621665, 0.18181795547521137, 0.22222222392581045,
                     0.28571428570799784, 0.40000000000000885, 0.6666666666666666});
  Value* half = b.CreateFMul(z, number(f, 0.5));
  Value* y = emit_fma(b, s, emit_fma(b, s2, p, half), b.CreateFMul(e, number(f, 1.9082149292705877e-10)));
  y = b.CreateFSub(b.CreateFSub(half, y), f);
  return emit_fma(b, e, number(f, 0.69314718036912382), b.CreateFNeg(y));
}

/// -inf at the pole and nan below it; inf and nan stay.
Value* with_edges(IRBuilder& b, Value* x, double pole, Value* result) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  result = b.CreateSelect(b.CreateFCmpOEQ(x, number(x, inf)), x, result);
  result = b.CreateSelect(b.CreateFCmpOEQ(x, number(x, pole)), number(x, -inf), result);
  Value* nan = number(x, std::numeric_limits<double>::quiet_NaN());
  return b.CreateSelect(b.CreateFCmpULT(x, number(x, pole)), nan, result);
}

}  // namespace

std::pair<Value*, Value*> split(IRBuilder& b, Value* x) {
  const bool is_single = is_f32(x);
  // A subnormal x has the significand of 2^bias x + 1, where bias is 1's exponent.
  const double bias = is_single ? 126 : 1022;
  Value *one = number(x, 1), *bits = bits_of(b, x);
  Value* is_tiny = b.CreateICmpSLT(bits, integer(bits, int64_t{1} << significand_bits(x)));
  Value* lifted = b.CreateFSub(float_of(b, b.CreateOr(bits, b.CreateBitCast(one, bits->getType()))), one);
  Value* normal = b.CreateSelect(is_tiny, lifted, x);
  Value* exponent = octave(b, normal);
  Value* e = b.CreateSIToFP(exponent, x->getType());
  e = b.CreateFSub(e, b.CreateSelect(is_tiny, number(x, bias), number(x, 0)));
  return {e, b.CreateFSub(lowered(b, normal, exponent), number(x, 1))};
}

Value* emit_log(IRBuilder& b, Value* x) {
  const auto [e, f] = split(b, x);
  return with_edges(b, x, 0, log_of(b, e, f, f));
}

// 1 + x = 2^e (1 + f), with f = x 2^-e + (2^-e - 1) rounded once, so that nothing is lost near 0, where e = 0 and f = x.
Value* emit_log1p(IRBuilder& b, Value* x) {
  Value* exponent = octave(b, b.CreateFAdd(x, number(x, 1)));
  // 4 * 2^-e is normal where 2^-e is not; a tiny x has e = 0.
  Value* scale = lowered(b, number(x, 4), exponent);
  Value* f = b.CreateFAdd(lowered(b, x, exponent), emit_fma(b, scale, number(x, 0.25), number(x, -1)));
  // The square of a tiny f would be subnormal.
  Value* is_linear = b.CreateFCmpOLT(emit_fabs(b, f), number(f, is_f32(f) ? 0x1p-30 : 0x1p-60));
  Value* y = log_of(b, b.CreateSIToFP(exponent, x->getType()), f, b.CreateSelect(is_linear, number(f, 0), f));
  return with_edges(b, x, -1, emit_copysign(b, y, x));  // for -0
}

}  // namespace weft::codegen
