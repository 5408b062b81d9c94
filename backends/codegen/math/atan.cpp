#include <array>
#include <numbers>

#include "weft/backends/codegen/math/math.h"

namespace weft::codegen {
namespace {

using llvm::Value;

/// (atan(t) - t) / t as a polynomial in u = t^2 times u, for |t| <= tan(pi/8): by Chebyshev interpolation, within 2^-33 and 2^-58.
Value* tail(IRBuilder& b, Value* u) {
  Value* p = is_f32(u) ? horner(b, u,
                                {0.05048055010223574, -0.08624643784438366, 0.11071360682318138, -0.14284150959481018, 0.19999977254347343,
                                 -0.33333333279242233})
                       : horner(b, u,
                                {0.016285183029865667, -0.034570044186095536, 0.04551573086664191, -0.052304498567092406,
                                 0.05878928398517232, -0.06666424833613552, 0.07692296372129964, -0.09090908753400499, 0.11111111105153429,
                                 -0.14285714285659806, 0.19999999999999804, -0.3333333333333333});
  return b.CreateFMul(p, u);
}

}  // namespace

/// atan(a) = c + atan(t) with a = |x|: t = a up to tan(pi/8), (a - 1) / (a + 1) up to tan(3 pi/8) with c = pi/4, -1 / a beyond with
/// c = pi/2. c comes in two parts, the second being what the first lacks.
Value* emit_atan(IRBuilder& b, Value* x) {
  Value* a = emit_fabs(b, x);
  Value *middle = b.CreateFCmpOGT(a, number(a, std::numbers::sqrt2 - 1)), *far = b.CreateFCmpOGT(a, number(a, std::numbers::sqrt2 + 1));
  const auto choose = [&](Value* near, Value* between, Value* beyond) {
    return b.CreateSelect(far, beyond, b.CreateSelect(middle, between, near));
  };
  Value* one = number(a, 1);
  Value* t = b.CreateFDiv(choose(a, b.CreateFSub(a, one), number(a, -1)), choose(one, b.CreateFAdd(a, one), a));
  const std::array<double, 2> half =
      is_f32(x) ? std::array{1.57079637050628662109375, -4.371139000186241e-08} : std::array{std::numbers::pi / 2, 6.123233995736766e-17};
  Value* low = choose(number(a, 0), number(a, half[1] / 2), number(a, half[1]));
  Value* angle = b.CreateFAdd(emit_fma(b, tail(b, normal_square(b, emit_fabs(b, t))), t, t), low);
  return emit_copysign(b, b.CreateFAdd(choose(number(a, 0), number(a, half[0] / 2), number(a, half[0])), angle), x);
}

}  // namespace weft::codegen
