#pragma once
// What a thread asks its GPU: which one it is, and to wait for others and exchange values with them.

#include <llvm/IR/IRBuilder.h>

#include "weft/backends/codegen/types.h"
#include "weft/backends/cuda/entry.h"

namespace weft::cuda {

/// Of a block: 0 to threads - 1; i32.
llvm::Value* thread_number(codegen::IRBuilder& b, int threads);
llvm::Value* block_number(codegen::IRBuilder& b);
/// All threads of the block come here, and see what the others have written before.
void barrier(codegen::IRBuilder& b);
/// The value of the lane whose number differs in these bits. All lanes of the warp come here.
llvm::Value* shuffled(codegen::IRBuilder& b, llvm::Value* v, int bits);

/// How a register stands in memory that only kernels see: truth as a byte.
llvm::Type* exchange_type(llvm::Type* register_type);
llvm::Value* load_exchanged(codegen::IRBuilder& b, llvm::Type* register_type, llvm::Value* base, llvm::Value* element);
void store_exchanged(codegen::IRBuilder& b, llvm::Value* v, llvm::Value* base, llvm::Value* element);

}  // namespace weft::cuda
