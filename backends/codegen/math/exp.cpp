#include <llvm/IR/Constants.h>
#include <llvm/IR/Intrinsics.h>

#include <cmath>

#include "weft/backends/codegen/math/math.h"

namespace weft::codegen {
namespace {

using llvm::Value;

/// e^x = 2^n (1 + p): n = round(x / ln 2) as an integer, p = e^r - 1 with |r| <= ln(2) / 2.
struct Reduced {
  Value *n, *p;
};

/// x is in the range where 2^n has two finite factors; in f64, `rest` is added to r.
Reduced reduce(IRBuilder& b, Value* x, Value* rest) {
  // Adding 1.5 * 2^23 (2^52) leaves the rounded integer in the low bits.
  Value* magic = number(x, is_f32(x) ? 0x1.8p23 : 0x1.8p52);
  Value* shifted = emit_fma(b, x, number(x, 1.44269504088896341), magic);
  Value* rounded = b.CreateFSub(shifted, magic);
  Value* n = b.CreateSub(bits_of(b, shifted), b.CreateBitCast(magic, bits_of(b, shifted)->getType()));
  if (is_f32(x)) {
    Value* r = emit_fma(b, rounded, number(x, -0.693359375), x);
    r = emit_fma(b, rounded, number(x, 2.12194440e-4), r);
    return {n, emit_small_expm1(b, r)};
  }
  // The upper part of ln 2 times n is exact; what r loses is added behind its square.
  Value* high = emit_fma(b, rounded, number(x, -0.69314718036912382), x);
  Value* low = emit_fma(b, rounded, number(x, -1.9082149292705877e-10), rest);
  Value* r = b.CreateFAdd(high, low);
  Value* lost = b.CreateFAdd(b.CreateFSub(high, r), low);
  // The same quotient by Chebyshev interpolation, within 2^-59.
  Value* q = horner(b, r,
                    {2.091483135138041e-09, 2.5105419192016337e-08, 2.7557273295539724e-07, 2.75572549134867e-06, 2.4801587325822283e-05,
                     0.00019841269875205077, 0.001388888888888367, 0.008333333333326025, 0.04166666666666667, 0.1666666666666667, 0.5});
  // The square of a tiny r would be subnormal, and is nothing beside r.
  Value* is_linear = b.CreateFCmpOLT(emit_fabs(b, r), number(r, 0x1p-60));
  Value* square = b.CreateFMul(r, b.CreateSelect(is_linear, number(r, 0), r));
  return {n, b.CreateFAdd(r, emit_fma(b, q, square, lost))};
}

/// Beyond these e^x is 0 or inf; comparisons with nan are false, so nan goes through.
Value* clamped(IRBuilder& b, Value* x) {
  Value *low = number(x, is_f32(x) ? -104 : -746), *top = at_most(b, x, is_f32(x) ? 89 : 710);
  return b.CreateSelect(b.CreateFCmpOLT(top, low), low, top);
}

/// 2^n for a normal power.
Value* power_of_two(IRBuilder& b, Value* like, Value* n) {
  const int64_t bias = is_f32(like) ? 127 : 1023;
  return float_of(b, b.CreateShl(b.CreateAdd(n, integer(n, bias)), integer(n, significand_bits(like))));
}

/// 2^n (1 + p), by the bits of the result: an instruction whose result is subnormal makes most processors stop for a hundred
/// cycles and more. Where the exponent falls below the normal ones, the significand is rounded by an addition in a range
/// where it is normal; where it rises above them, the result is inf.
Value* scaled(IRBuilder& b, const Reduced& e) {
  Value* y = b.CreateFAdd(e.p, number(e.p, 1));
  const int significand = significand_bits(y), bias = is_f32(y) ? 127 : 1023;
  const auto exponent = [&](Value* like, int64_t value) { return integer(like, value << significand); };
  Value* bits = b.CreateAdd(bits_of(b, y), b.CreateShl(e.n, integer(e.n, significand)));
  Value* finite = b.CreateBinaryIntrinsic(llvm::Intrinsic::smin, bits, exponent(bits, 2 * bias + 1));
  // In units of the smallest subnormal number, up to 2^significand: adding that rounds to a whole number.
  Value* small = b.CreateBinaryIntrinsic(llvm::Intrinsic::smin, bits, exponent(bits, 1));
  Value* units = float_of(b, b.CreateAdd(small, exponent(bits, bias - 1 + significand)));
  Value* one = number(y, std::ldexp(1, significand));
  Value* whole = b.CreateSub(bits_of(b, b.CreateFAdd(units, one)), b.CreateBitCast(one, bits->getType()));
  Value* is_tiny = b.CreateICmpSLT(bits, exponent(bits, 1));
  return b.CreateSelect(b.CreateFCmpUNO(y, y), y, float_of(b, b.CreateSelect(is_tiny, whole, finite)));
}

}  // namespace

Value* emit_small_expm1(IRBuilder& b, Value* r) {
  // (e^r - 1 - r) / r^2 by Chebyshev interpolation, within 2^-27 of e^r.
  Value* q = horner(b, r, {0.00139261761, 0.00836317307, 0.0416665547, 0.16666577, 0.5});
  // q r, not r^2: the square of a tiny r would be subnormal.
  return emit_fma(b, b.CreateFMul(q, r), r, r);
}

Value* emit_exp(IRBuilder& b, Value* x) { return scaled(b, reduce(b, clamped(b, x), number(x, 0))); }

Value* emit_exp_of_sum(IRBuilder& b, Value* x, Value* rest) {
  Value* t = clamped(b, x);
  // Where x was clamped, or is nan, the rest means nothing.
  return scaled(b, reduce(b, t, b.CreateSelect(b.CreateFCmpOEQ(t, x), rest, number(x, 0))));
}

// 2^n p + (2^n - 1), where both terms are halved, so that 2^n is finite for the largest n.
Value* emit_expm1(IRBuilder& b, Value* x) {
  const Reduced e = reduce(b, clamped(b, x), number(x, 0));
  // Far below, the result is -1, and 2^(n-1) would not be normal.
  const int64_t least = is_f32(x) ? -100 : -1000;
  Value* n = b.CreateSelect(b.CreateICmpSLT(e.n, integer(e.n, least)), integer(e.n, least), e.n);
  Value* half = power_of_two(b, x, b.CreateSub(n, integer(n, 1)));
  Value* y = emit_fma(b, half, e.p, b.CreateFSub(half, number(x, 0.5)));
  return emit_copysign(b, b.CreateFAdd(y, y), x);  // for -0
}

}  // namespace weft::codegen
