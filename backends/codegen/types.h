#pragma once
// How element types appear in memory and in registers.
//
//   dtype  memory    register
//   f16    16 bits   float, rounded to f16 after every op
//   bf16   16 bits   float, rounded to bf16 after every op
//   bool   a byte    i1
//   else   itself    itself (u8 is i8, read as unsigned; so are u16 and u32)

#include <llvm/IR/IRBuilder.h>

#include "weft/support/dtype.h"

namespace weft::codegen {

using IRBuilder = llvm::IRBuilder<>;

llvm::Type* memory_type(llvm::LLVMContext& context, DType dtype);
llvm::Type* register_type(llvm::LLVMContext& context, DType dtype);
/// Of an element in memory.
inline llvm::Align alignment_of(DType dtype) { return llvm::Align(size_of(dtype)); }

bool is_vector(const llvm::Value* v);
/// `like`'s shape with this element type: as long a vector for a vector, a scalar for a scalar.
llvm::Type* shaped_like(llvm::Type* element, const llvm::Type* like);
/// The scalar in every one of so many lanes; a vector as it is.
llvm::Value* splat(IRBuilder& b, llvm::Value* v, unsigned lanes);
/// A number of v's type, in v's shape.
llvm::Constant* number(const llvm::Value* like, double value);
llvm::Constant* integer(const llvm::Value* like, int64_t value);

/// What was read from memory, as a register; and back.
llvm::Value* from_memory(IRBuilder& b, DType dtype, llvm::Value* v);
llvm::Value* to_memory(IRBuilder& b, DType dtype, llvm::Value* v);

/// A float of a narrow type rounded to its nearest value, ties to even; nan stays nan. What is of another type is as it is.
llvm::Value* rounded(IRBuilder& b, DType dtype, llvm::Value* v);

/// Says that the module's target has instructions from f16 to f32 and back. Without, the same is computed by others.
void have_f16_instructions(llvm::Module& module);

}  // namespace weft::codegen
