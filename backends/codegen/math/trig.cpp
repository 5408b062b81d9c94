#include <llvm/IR/Intrinsics.h>

#include <array>
#include <limits>

#include "weft/backends/codegen/math/math.h"

namespace weft::codegen {
namespace {

using llvm::Value;

/// A positive angle as r + turns pi/2 with |r| <= pi/4; `turns`, an i32, counts modulo 4.
struct Turned {
  Value *r, *turns;
};

/// Up to here three subtractions lose nothing that f32 shows.
constexpr double near_limit = 0x1p16;

/// pi/2 in three f32 parts (Cody and Waite).
Turned turn_near(IRBuilder& b, Value* x) {
  // Adding 1.5 * 2^23 leaves the rounded integer in the low bits.
  Value* magic = number(x, 0x1.8p23);
  Value* shifted = emit_fma(b, x, number(x, 0.63661977236758134), magic);
  Value* n = b.CreateFSub(shifted, magic);
  Value* r = x;
  for (double part : {1.5707963705062866, -4.3711388286737929e-08, -1.7151245100058819e-15}) r = emit_fma(b, n, number(x, -part), r);
  return {r, bits_of(b, shifted)};
}

/// 96 bits of 2/pi, those that matter for an x = m 2^e from near_limit on, times its significand m (Payne and Hanek).
Turned turn_far(IRBuilder& b, Value* x) {
  Value* bits = bits_of(b, x);
  const auto i32 = [&](int64_t v) { return integer(bits, v); };
  // 2/pi behind 32 zero bits. Of the product, bits worth 4 turns or more mean nothing: those of 2/pi before bit e + 30.
  constexpr std::array<uint32_t, 8> two_over_pi = {0, 0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab};
  Value* first = b.CreateSub(b.CreateLShr(bits, i32(23)), i32(150 - 30));
  Value *word = b.CreateLShr(first, i32(5)), *shift = b.CreateAnd(first, i32(31));
  std::array<Value*, 4> window;
  for (size_t i = 0; i < window.size(); ++i) {
    window[i] = i32(two_over_pi[i]);
    for (size_t w = 1; w + i < two_over_pi.size(); ++w)
      window[i] = b.CreateSelect(b.CreateICmpUGE(word, i32(static_cast<int64_t>(w))), i32(two_over_pi[w + i]), window[i]);
  }
  llvm::Type* wide = shaped_like(b.getInt64Ty(), x->getType());
  Value* m = b.CreateZExt(b.CreateOr(b.CreateAnd(bits, i32(0x7fffff)), i32(0x800000)), wide);
  const auto product = [&](size_t i) {
    Value* aligned = b.CreateIntrinsic(llvm::Intrinsic::fshl, {bits->getType()}, {window[i], window[i + 1], shift});
    return b.CreateMul(m, b.CreateZExt(aligned, wide));
  };
  // In units of 2^-62 turns, modulo 4.
  Value* turned = b.CreateAdd(b.CreateShl(product(0), integer(m, 32)), product(1));
  turned = b.CreateAdd(turned, b.CreateLShr(product(2), integer(m, 32)));
  Value* turns = b.CreateLShr(b.CreateAdd(turned, integer(m, int64_t{1} << 61)), integer(m, 62));
  Value* rest = b.CreateSub(turned, b.CreateShl(turns, integer(m, 62)));
  // Its two halves as f64, which has an instruction for 32-bit integers everywhere.
  llvm::Type* f64_type = shaped_like(b.getDoubleTy(), x->getType());
  Value* high = b.CreateSIToFP(b.CreateTrunc(b.CreateAShr(rest, integer(m, 32)), bits->getType()), f64_type);
  Value* low = b.CreateSIToFP(b.CreateLShr(b.CreateTrunc(rest, bits->getType()), i32(1)), f64_type);
  constexpr double unit = 1.5707963267948966 * 0x1p-30;
  Value* r = emit_fma(b, low, number(low, unit * 0x1p-31), b.CreateFMul(high, number(high, unit)));
  return {b.CreateFPTrunc(r, x->getType()), b.CreateTrunc(turns, bits->getType())};
}

/// sin(a + quarters pi/2) for a >= 0; nan for inf and nan.
Value* sine(IRBuilder& b, Value* a, int64_t quarters) {
  const Turned near = turn_near(b, a), far = turn_far(b, a);
  Value* is_near = b.CreateFCmpOLT(a, number(a, near_limit));
  Value* r = b.CreateSelect(is_near, near.r, far.r);
  Value* turns = b.CreateSelect(is_near, near.turns, far.turns);
  turns = b.CreateAdd(turns, integer(turns, quarters));
  Value* z = normal_square(b, emit_fabs(b, r));
  // Chebyshev interpolation, within 2^-25 and 2^-28.
  Value* sin = emit_fma(b, b.CreateFMul(z, horner(b, z, {-0.000195873872, 0.0083327461, -0.166666642})), r, r);
  Value* cos = emit_fma(b, b.CreateFMul(z, z), horner(b, z, {2.45474366e-05, -0.00138883002, 0.0416666642}),
                        emit_fma(b, z, number(z, -0.5), number(z, 1)));
  Value* is_odd = b.CreateICmpNE(b.CreateAnd(turns, integer(turns, 1)), integer(turns, 0));
  Value* sign = b.CreateShl(b.CreateAnd(turns, integer(turns, 2)), integer(turns, 30));
  Value* result = float_of(b, b.CreateXor(bits_of(b, b.CreateSelect(is_odd, cos, sin)), sign));
  Value* is_finite = b.CreateFCmpOLT(a, number(a, std::numeric_limits<double>::infinity()));
  return b.CreateSelect(is_finite, result, number(a, std::numeric_limits<double>::quiet_NaN()));
}

}  // namespace

Value* emit_sin_f32(IRBuilder& b, Value* x) {
  Value* positive = sine(b, emit_fabs(b, x), 0);
  Value* sign = b.CreateAnd(bits_of(b, x), integer(bits_of(b, x), static_cast<int32_t>(0x80000000)));
  return float_of(b, b.CreateXor(bits_of(b, positive), sign));
}

Value* emit_cos_f32(IRBuilder& b, Value* x) { return sine(b, emit_fabs(b, x), 1); }

}  // namespace weft::codegen
