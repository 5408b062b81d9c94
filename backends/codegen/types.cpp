#include "weft/backends/codegen/types.h"

#include <llvm/IR/Module.h>

namespace weft::codegen {
namespace {

using llvm::Value;

constexpr const char* f16_flag = "weft.f16_instructions";

bool has_f16_instructions(IRBuilder& b) { return b.GetInsertBlock()->getModule()->getModuleFlag(f16_flag) != nullptr; }

Value* bits_of(IRBuilder& b, Value* v) { return b.CreateBitCast(v, shaped_like(b.getInt32Ty(), v->getType())); }
Value* float_of(IRBuilder& b, Value* bits) { return b.CreateBitCast(bits, shaped_like(b.getFloatTy(), bits->getType())); }

/// As support/dtype.cpp does, all cases at once.
Value* f16_by_integers(IRBuilder& b, Value* v) {
  Value* bits = bits_of(b, v);
  Value* size = b.CreateAnd(bits, integer(bits, 0x7fffffff));
  Value* odd = b.CreateAnd(b.CreateLShr(size, integer(size, 13)), integer(size, 1));
  Value* normal = b.CreateLShr(b.CreateAdd(b.CreateAdd(size, odd), integer(size, 0xfff - (int64_t{112} << 23))), integer(size, 13));
  Value* small = b.CreateSub(bits_of(b, b.CreateFAdd(float_of(b, size), number(v, 0.5))), integer(size, 0x3f000000));
  Value* nan = b.CreateOr(b.CreateAnd(b.CreateLShr(size, integer(size, 13)), integer(size, 0x3ff)), integer(size, 0x7e00));
  Value* result = b.CreateSelect(b.CreateICmpULT(size, integer(size, 0x38800000)), small, normal);
  result = b.CreateSelect(b.CreateICmpUGE(size, integer(size, 0x47800000)), integer(size, 0x7c00), result);
  result = b.CreateSelect(b.CreateICmpUGT(size, integer(size, 0x7f800000)), nan, result);
  result = b.CreateOr(result, b.CreateAnd(b.CreateLShr(bits, integer(bits, 16)), integer(bits, 0x8000)));
  return b.CreateTrunc(result, shaped_like(b.getInt16Ty(), v->getType()));
}

Value* f16_bits(IRBuilder& b, Value* v) {
  if (!has_f16_instructions(b)) return f16_by_integers(b, v);
  return b.CreateBitCast(b.CreateFPTrunc(v, shaped_like(b.getHalfTy(), v->getType())), shaped_like(b.getInt16Ty(), v->getType()));
}

Value* float_by_integers(IRBuilder& b, Value* half) {
  Value* bits = b.CreateZExt(half, shaped_like(b.getInt32Ty(), half->getType()));
  Value* size = b.CreateAnd(bits, integer(bits, 0x7fff));
  Value* shifted = b.CreateShl(size, integer(size, 13));
  Value* small = b.CreateUIToFP(size, shaped_like(b.getFloatTy(), half->getType()));
  small = bits_of(b, b.CreateFMul(small, number(small, 0x1p-24)));
  Value* beyond = b.CreateAdd(shifted, integer(size, int64_t{224} << 23));
  beyond = b.CreateSelect(b.CreateICmpUGT(size, integer(size, 0x7c00)), b.CreateOr(beyond, integer(size, 0x400000)), beyond);
  Value* result = b.CreateAdd(shifted, integer(size, int64_t{112} << 23));
  result = b.CreateSelect(b.CreateICmpULT(size, integer(size, 0x400)), small, result);
  result = b.CreateSelect(b.CreateICmpUGE(size, integer(size, 0x7c00)), beyond, result);
  return float_of(b, b.CreateOr(result, b.CreateShl(b.CreateAnd(bits, integer(bits, 0x8000)), integer(bits, 16))));
}

Value* float_of_f16(IRBuilder& b, Value* half) {
  if (!has_f16_instructions(b)) return float_by_integers(b, half);
  return b.CreateFPExt(b.CreateBitCast(half, shaped_like(b.getHalfTy(), half->getType())), shaped_like(b.getFloatTy(), half->getType()));
}

Value* rounded_to_bf16(IRBuilder& b, Value* v) {
  Value* bits = bits_of(b, v);
  Value* odd = b.CreateAnd(b.CreateLShr(bits, integer(bits, 16)), integer(bits, 1));
  Value* nearest = b.CreateAdd(bits, b.CreateAdd(odd, integer(bits, 0x7fff)));
  Value* quiet = b.CreateOr(bits, integer(bits, 0x400000));
  Value* chosen = b.CreateSelect(b.CreateFCmpUNO(v, v), quiet, nearest);
  return b.CreateBitCast(b.CreateAnd(chosen, integer(bits, static_cast<int32_t>(0xffff0000))), v->getType());
}

}  // namespace

llvm::Type* memory_type(llvm::LLVMContext& c, DType dtype) {
  switch (dtype) {
    case DType::f16:
    case DType::bf16: return llvm::Type::getInt16Ty(c);
    case DType::bool_: return llvm::Type::getInt8Ty(c);
    default: return register_type(c, dtype);
  }
}

llvm::Type* register_type(llvm::LLVMContext& c, DType dtype) {
  switch (dtype) {
    case DType::f64: return llvm::Type::getDoubleTy(c);
    case DType::f32:
    case DType::f16:
    case DType::bf16: return llvm::Type::getFloatTy(c);
    case DType::i64: return llvm::Type::getInt64Ty(c);
    case DType::i32:
    case DType::u32: return llvm::Type::getInt32Ty(c);
    case DType::i16:
    case DType::u16: return llvm::Type::getInt16Ty(c);
    case DType::i8:
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
  if (dtype == f16) return float_of_f16(b, v);
  if (dtype != bf16) return v;
  llvm::Value* wide = b.CreateZExt(v, shaped_like(b.getInt32Ty(), v->getType()));
  return float_of(b, b.CreateShl(wide, integer(wide, 16)));
}

llvm::Value* to_memory(IRBuilder& b, DType dtype, llvm::Value* v) {
  if (dtype == boolean) return b.CreateZExt(v, shaped_like(b.getInt8Ty(), v->getType()));
  if (dtype == f16) return f16_bits(b, v);
  if (dtype != bf16) return v;
  llvm::Value* bits = bits_of(b, v);
  return b.CreateTrunc(b.CreateLShr(bits, integer(bits, 16)), shaped_like(b.getInt16Ty(), v->getType()));
}

llvm::Value* rounded(IRBuilder& b, DType dtype, llvm::Value* v) {
  if (dtype == f16) return float_of_f16(b, f16_bits(b, v));
  return dtype == bf16 ? rounded_to_bf16(b, v) : v;
}

void have_f16_instructions(llvm::Module& module) { module.addModuleFlag(llvm::Module::Override, f16_flag, 1); }

}  // namespace weft::codegen
