#pragma once
// One scalar expression as LLVM instructions, on scalars or on whole vectors.

#include <span>

#include "weft/backends/codegen/types.h"
#include "weft/ir/scalar.h"

namespace weft::codegen {

/// `arguments` are registers of the expression's argument types. The result is a vector if one of them is.
llvm::Value* emit_scalar(IRBuilder& b, const ir::ScalarExpression& expression, std::span<llvm::Value* const> arguments);

}  // namespace weft::codegen
