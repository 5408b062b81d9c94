#pragma once
// Transcendental functions as inline polynomials without calls or tables, on scalars and vectors alike, so that a kernel
// computes the same bits on every target. Their errors are bounded (math/bounds.h).
//
// Subnormal numbers on the way, and as results of exp, cost no time: an instruction that makes or reads one makes most
// processors stop. Those among the operands do, but for log's.
//
// Where there is no inline form, the C library is called for each lane, on targets that have one. Results that are zero
// have C's sign; f16 and bf16 are computed in f32.

#include <initializer_list>
#include <utility>

#include "weft/backends/codegen/math/bounds.h"
#include "weft/backends/codegen/types.h"
#include "weft/ir/scalar.h"

namespace weft::codegen {

/// A function that no instruction computes.
struct MathFunction {
  /// On x, or on x and y.
  using Inline = llvm::Value* (*)(IRBuilder& b, llvm::Value* x, llvm::Value* y);

  ir::Primitive primitive;
  const char* name;  // the C library's, of the double version; the float version's has an f behind it
  int operands;
  Inline f32, f64;  // null: the C library's is called
  double f32_ulps, f64_ulps;
  /// LLVM's time for the code shows, so a program has one copy of it, a function of its own: LLVM decides where to inline it.
  bool is_long;
};

/// The function that a primitive is, or null.
const MathFunction* find_function(ir::Primitive primitive);
/// Its code for elements of this floating type, or null.
MathFunction::Inline inline_form(const MathFunction& function, DType dtype);
/// y is null for a function of one operand.
llvm::Value* emit_function(IRBuilder& b, const MathFunction& function, llvm::Value* x, llvm::Value* y);

// The inline forms; where one is for f32 and f64 alike, it looks at x.

llvm::Value* emit_exp(IRBuilder& b, llvm::Value* x);
llvm::Value* emit_expm1(IRBuilder& b, llvm::Value* x);
llvm::Value* emit_log(IRBuilder& b, llvm::Value* x);
llvm::Value* emit_log1p(IRBuilder& b, llvm::Value* x);
llvm::Value* emit_sin_f32(IRBuilder& b, llvm::Value* x);
llvm::Value* emit_cos_f32(IRBuilder& b, llvm::Value* x);
llvm::Value* emit_tanh(IRBuilder& b, llvm::Value* x);
llvm::Value* emit_erf(IRBuilder& b, llvm::Value* x);
llvm::Value* emit_atan(IRBuilder& b, llvm::Value* x);
llvm::Value* emit_pow(IRBuilder& b, llvm::Value* x, llvm::Value* y);

// What they are made of.

/// e^r - 1 in f32, |r| at most ln(2) / 2.
llvm::Value* emit_small_expm1(IRBuilder& b, llvm::Value* r);
/// e^(x + rest) in f64, where |rest| is at most a few ulps of x.
llvm::Value* emit_exp_of_sum(IRBuilder& b, llvm::Value* x, llvm::Value* rest);
/// A positive finite x as 2^e (1 + f) with sqrt(1/2) <= 1 + f < sqrt(2), exactly; e and f are of x's type.
std::pair<llvm::Value*, llvm::Value*> split(IRBuilder& b, llvm::Value* x);

bool is_f32(const llvm::Value* v);
llvm::Value* emit_fma(IRBuilder& b, llvm::Value* x, llvm::Value* y, llvm::Value* z);
llvm::Value* emit_fabs(IRBuilder& b, llvm::Value* x);
llvm::Value* emit_copysign(IRBuilder& b, llvm::Value* magnitude, llvm::Value* sign);
/// x, but not above the bound; nan stays.
llvm::Value* at_most(IRBuilder& b, llvm::Value* x, double bound);
/// a^2 for a >= 0, or 2^-60 where that is less, so that neither it nor its square is subnormal: for what is added to 1.
llvm::Value* normal_square(IRBuilder& b, llvm::Value* a);
/// c[0] x^(n-1) + ... + c[n-1], by Horner's rule with fma.
llvm::Value* horner(IRBuilder& b, llvm::Value* x, std::initializer_list<double> coefficients);
/// The bits of a float as an integer of its size, and back.
llvm::Value* bits_of(IRBuilder& b, llvm::Value* x);
llvm::Value* float_of(IRBuilder& b, llvm::Value* bits);
/// Stored bits of the significand.
int significand_bits(const llvm::Value* x);

}  // namespace weft::codegen
