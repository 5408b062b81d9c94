#include "weft/backends/codegen/types.h"

namespace weft::codegen {

llvm::Type* memory_type(llvm::LLVMContext& c, DType dtype) {
  switch (dtype) {
    case DType::bf16: return llvm::Type::getInt16Ty(c);
    case DType::bool_: return llvm::Type::getInt8Ty(c);
    default: return register_type(c, dtype);
  }
}

llvm::Type* register_type(llvm::LLVMContext& c, DType dtype) {
  switch (dtype) {
    case DType::f64: return llvm::Type::getDoubleTy(c);
    case DType::f32:
    case DType::bf16: return llvm::Type::getFloatTy(c);
    case DType::i64: return llvm::Type::getInt64Ty(c);
    case DType::i32: return llvm::Type::getInt32Ty(c);
    case DType::u8: return llvm::Type::getInt8Ty(c);
    case DType::bool_: return llvm::Type::getInt1Ty(c);
  }
  return nullptr;
}

bool is_vector(const llvm::Value* v) { return v->getType()->isVectorTy(); }

llvm::Type* shaped_like(llvm::Type* element, const llvm::Type* like) {
  const auto* vector = llvm::dyn_cast<llvm::FixedVectorType>(like);
  return vector ? llvm::FixedVectorType::get(element, vector->getNumElements()) : element;
}

llvm::Value* splat(IRBuilder& b, llvm::Value* v, unsigned lanes) { return is_vector(v) ? v : b.CreateVectorSplat(lanes, v); }

llvm::Constant* number(const llvm::Value* like, double value) { return llvm::ConstantFP::get(like->getType(), value); }

llvm::Constant* integer(const llvm::Value* like, int64_t value) {
  return llvm::ConstantInt::get(like->getType(), static_cast<uint64_t>(value), true);
}

llvm::Value* from_memory(IRBuilder& b, DType dtype, llvm::Value* v) {
  if (dtype == boolean) return b.CreateICmpNE(v, integer(v, 0));
  if (dtype != bf16) return v;
  llvm::Value* wide = b.CreateZExt(v, shaped_like(b.getInt32Ty(), v->getType()));
  return b.CreateBitCast(b.CreateShl(wide, integer(wide, 16)), shaped_like(b.getFloatTy(), v->getType()));
}

llvm::Value* to_memory(IRBuilder& b, DType dtype, llvm::Value* v) {
  if (dtype == boolean) return b.CreateZExt(v, shaped_like(b.getInt8Ty(), v->getType()));
  if (dtype != bf16) return v;
  llvm::Value* bits = b.CreateBitCast(v, shaped_like(b.getInt32Ty(), v->getType()));
  return b.CreateTrunc(b.CreateLShr(bits, integer(bits, 16)), shaped_like(b.getInt16Ty(), v->getType()));
}

llvm::Value* round_to_bf16(IRBuilder& b, llvm::Value* v) {
  llvm::Value* bits = b.CreateBitCast(v, shaped_like(b.getInt32Ty(), v->getType()));
  llvm::Value* odd = b.CreateAnd(b.CreateLShr(bits, integer(bits, 16)), integer(bits, 1));
  llvm::Value* rounded = b.CreateAdd(bits, b.CreateAdd(odd, integer(bits, 0x7fff)));
  llvm::Value* quiet = b.CreateOr(bits, integer(bits, 0x400000));
  llvm::Value* chosen = b.CreateSelect(b.CreateFCmpUNO(v, v), quiet, rounded);
  return b.CreateBitCast(b.CreateAnd(chosen, integer(bits, static_cast<int32_t>(0xffff0000))), v->getType());
}

}  // namespace weft::codegen
