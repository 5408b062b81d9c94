#pragma once
// A heavy op that the target does not claim becomes its decomposition into elementwise ops and reductions, as
//
//   matmul(a, b) = sum over k of a[.., i, 1, k] * b[.., 1, j, k]
//
// An epilogue that the target cannot apply becomes ops behind the product; so does one that the target claims but has only its
// library's plain loops for; a product of a narrow type is one of f32 where the target runs that.
//
// Runs after simplification, since it adds what that would look through.

#include "weft/ir/module.h"
#include "weft/passes/remarks.h"
#include "weft/passes/target.h"

namespace weft::passes {

/// `remarks`, when given, gets one for each op that is written out, and why.
bool expand(ir::Module& module, const Target& target, Remarks* remarks = nullptr);

}  // namespace weft::passes
