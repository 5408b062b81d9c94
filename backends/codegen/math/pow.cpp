#include <llvm/IR/Intrinsics.h>

#include <limits>

#include "weft/backends/codegen/math/math.h"

namespace weft::codegen {
namespace {

using llvm::Value;

constexpr double inf = std::numeric_limits<double>::infinity();

/// An unevaluated sum of two f64, the second at most half an ulp of the first.
struct Double2 {
  Value *high, *low;
};

/// x + y for |x| >= |y| or x = 0, exactly.
Double2 sum_of(IRBuilder& b, Value* x, Value* y) {
  Value* high = b.CreateFAdd(x, y);
  return {high, b.CreateFAdd(b.CreateFSub(x, high), y)};
}

Double2 product_of(IRBuilder& b, Double2 x, Double2 y) {
  Value* high = b.CreateFMul(x.high, y.high);
  Value* low = emit_fma(b, x.high, y.high, b.CreateFNeg(high));
  low = emit_fma(b, x.high, y.low, low);
  return {high, emit_fma(b, x.low, y.high, low)};
}

/// log(x) for a positive finite x, to about 65 bits: e ln 2 + 2 atanh(s) with s = f / (2 + f). atanh(s) is
/// s + s^3 (1/3 + s^2 T(s^2)), T by Chebyshev interpolation within 2^-67.
Double2 precise_log(IRBuilder& b, Value* x) {
  const auto [e, f] = split(b, x);
  const Double2 divisor = sum_of(b, number(x, 2), f);
  Value* quotient = b.CreateFDiv(f, divisor.high);
  Value* rest = emit_fma(b, b.CreateFNeg(quotient), divisor.high, f);
  rest = emit_fma(b, b.CreateFNeg(quotient), divisor.low, rest);
  const Double2 s{quotient, b.CreateFDiv(rest, divisor.high)};
  const Double2 z = product_of(b, s, s);
  Value* t = horner(b, z.high,
                    {0.0538181075750563, 0.05228097555200746, 0.05883409510814777, 0.06666648198981917, 0.07692307881454075,
                     0.09090909089822495, 0.11111111111114234, 0.14285714285714282, 0.2});
  Double2 third = sum_of(b, number(x, 1.0 / 3), b.CreateFMul(z.high, t));
  third.low = b.CreateFAdd(third.low, number(x, 1.8503717077085941e-17));  // 1/3 has more bits than a double
  const Double2 cubic = product_of(b, s, product_of(b, z, third));
  const Double2 atanh = sum_of(b, s.high, cubic.high);
  Value* low = b.CreateFAdd(atanh.low, b.CreateFAdd(s.low, cubic.low));
  // ln 2 in two parts, of which the upper has 40 bits, so that e times it is exact.
  const Double2 log = sum_of(b, b.CreateFMul(e, number(x, 0.69314718055920821)), b.CreateFAdd(atanh.high, atanh.high));
  low = emit_fma(b, e, number(x, 7.3710025651677989e-13), b.CreateFAdd(low, low));
  return {log.high, b.CreateFAdd(log.low, low)};
}

/// a^y for a >= 0; anything where a is 1 or y is 0 or one is nan.
Value* power_f64(IRBuilder& b, Value* a, Value* y) {
  Double2 log = precise_log(b, a);
  Value* is_zero = b.CreateFCmpOEQ(a, number(a, 0));
  Value* is_special = b.CreateOr(is_zero, b.CreateFCmpOEQ(a, number(a, inf)));
  log.high = b.CreateSelect(is_special, b.CreateSelect(is_zero, number(a, -inf), number(a, inf)), log.high);
  Value* high = b.CreateFMul(log.high, y);
  Value* low = emit_fma(b, log.low, y, emit_fma(b, log.high, y, b.CreateFNeg(high)));
  return emit_exp_of_sum(b, high, low);
}

/// In f64, with an f64 logarithm, which leaves no error but the last rounding's.
Value* power_f32(IRBuilder& b, Value* a, Value* y) {
  llvm::Type* wide = shaped_like(b.getDoubleTy(), a->getType());
  Value* log = emit_log(b, b.CreateFPExt(a, wide));
  return b.CreateFPTrunc(emit_exp(b, b.CreateFMul(log, b.CreateFPExt(y, wide))), a->getType());
}

Value* is_integer(IRBuilder& b, Value* x) { return b.CreateFCmpOEQ(b.CreateUnaryIntrinsic(llvm::Intrinsic::floor, x), x); }

}  // namespace

// The special cases are those of C's pow.
Value* emit_pow(IRBuilder& b, Value* x, Value* y) {
  Value *one = number(x, 1), *zero = number(x, 0), *nan = number(x, std::numeric_limits<double>::quiet_NaN());
  Value* a = emit_fabs(b, x);
  Value* result = is_f32(x) ? power_f32(b, a, y) : power_f64(b, a, y);
  result = b.CreateSelect(b.CreateFCmpOEQ(a, one), one, result);
  // Below 0, only integers have a power, and odd ones keep the sign, as they do for -0 and -inf.
  Value* is_whole = is_integer(b, y);
  Value* is_odd = b.CreateAnd(is_whole, b.CreateNot(is_integer(b, b.CreateFMul(y, number(y, 0.5)))));
  result = b.CreateSelect(is_odd, emit_copysign(b, result, x), result);
  Value* is_negative = b.CreateAnd(b.CreateFCmpOLT(x, zero), b.CreateFCmpOGT(x, number(x, -inf)));
  Value* has_none = b.CreateAnd(is_negative, b.CreateNot(is_whole));
  result = b.CreateSelect(b.CreateOr(has_none, b.CreateFCmpUNO(x, y)), nan, result);
  return b.CreateSelect(b.CreateOr(b.CreateFCmpOEQ(x, one), b.CreateFCmpOEQ(y, zero)), one, result);
}

}  // namespace weft::codegen
