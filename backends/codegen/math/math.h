#pragma once
// Transcendental functions. For f32: inline polynomials without calls or tables, on scalars and vectors alike, so that
// a kernel stays a leaf. Largest errors over all finite operands, held by tests/codegen/math_test.cpp:
//
//   exp 2 ulp    log 2 ulp    tanh 2 ulp    erf 2 ulp
//
// For f64, and for functions without a polynomial here, the C library is called for each lane.

#include <initializer_list>
#include <string>

#include "weft/backends/codegen/types.h"

namespace weft::codegen {

llvm::Value* emit_exp(IRBuilder& b, llvm::Value* x);
llvm::Value* emit_log(IRBuilder& b, llvm::Value* x);
llvm::Value* emit_tanh(IRBuilder& b, llvm::Value* x);
llvm::Value* emit_erf(IRBuilder& b, llvm::Value* x);

/// `name` is the double version's; the float version has an f behind it.
llvm::Value* call_libm(IRBuilder& b, const std::string& name, std::initializer_list<llvm::Value*> operands);

// Building blocks of the polynomials.

bool is_f32(const llvm::Value* v);
llvm::Value* emit_fma(IRBuilder& b, llvm::Value* x, llvm::Value* y, llvm::Value* z);
/// c[0] x^(n-1) + ... + c[n-1], by Horner's rule with fma.
llvm::Value* horner(IRBuilder& b, llvm::Value* x, std::initializer_list<double> coefficients);
/// The bits of a float as an i32, and back.
llvm::Value* bits_of(IRBuilder& b, llvm::Value* x);
llvm::Value* float_of(IRBuilder& b, llvm::Value* bits);

}  // namespace weft::codegen
