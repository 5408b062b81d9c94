#include "weft/backends/cuda/thread_code.h"

#include <llvm/IR/IntrinsicsNVPTX.h>
#include <llvm/IR/MDBuilder.h>

namespace weft::cuda {
namespace {

namespace nvvm = llvm::Intrinsic;
using codegen::IRBuilder;
using llvm::Value;

Value* shuffled_word(IRBuilder& b, Value* word, int bits) {
  return b.CreateIntrinsic(nvvm::nvvm_shfl_sync_bfly_i32, {},
                           {b.getInt32(UINT32_MAX), word, b.getInt32(static_cast<uint32_t>(bits)), b.getInt32(31)});
}

/// As an integer of its own width.
Value* bits_of(IRBuilder& b, Value* v) { return b.CreateBitCast(v, b.getIntNTy(v->getType()->getScalarSizeInBits())); }

}  // namespace

Value* thread_number(IRBuilder& b, int threads) {
  llvm::CallInst* tid = b.CreateIntrinsic(nvvm::nvvm_read_ptx_sreg_tid_x, {}, {});
  const auto most = static_cast<uint64_t>(threads);
  tid->setMetadata(llvm::LLVMContext::MD_range, llvm::MDBuilder(b.getContext()).createRange(llvm::APInt(32, 0), llvm::APInt(32, most)));
  return tid;
}

Value* block_number(IRBuilder& b) { return b.CreateIntrinsic(nvvm::nvvm_read_ptx_sreg_ctaid_x, {}, {}); }

void barrier(IRBuilder& b) { b.CreateIntrinsic(nvvm::nvvm_barrier0, {}, {}); }

Value* shuffled(IRBuilder& b, Value* v, int bits) {
  const unsigned width = v->getType()->getScalarSizeInBits();
  Value* whole = bits_of(b, v);
  if (width < 64) {
    Value* word = shuffled_word(b, b.CreateZExt(whole, b.getInt32Ty()), bits);
    return b.CreateBitCast(b.CreateTrunc(word, whole->getType()), v->getType());
  }
  Value* low = shuffled_word(b, b.CreateTrunc(whole, b.getInt32Ty()), bits);
  Value* high = shuffled_word(b, b.CreateTrunc(b.CreateLShr(whole, 32), b.getInt32Ty()), bits);
  Value* joined = b.CreateOr(b.CreateZExt(low, b.getInt64Ty()), b.CreateShl(b.CreateZExt(high, b.getInt64Ty()), 32));
  return b.CreateBitCast(joined, v->getType());
}

llvm::Type* exchange_type(llvm::Type* type) { return type->isIntegerTy(1) ? llvm::Type::getInt8Ty(type->getContext()) : type; }

Value* load_exchanged(IRBuilder& b, llvm::Type* type, Value* base, Value* element) {
  llvm::Type* stored = exchange_type(type);
  Value* v = b.CreateLoad(stored, b.CreateGEP(stored, base, element));
  return stored == type ? v : b.CreateTrunc(v, type);
}

void store_exchanged(IRBuilder& b, Value* v, Value* base, Value* element) {
  llvm::Type* stored = exchange_type(v->getType());
  b.CreateStore(b.CreateZExtOrBitCast(v, stored), b.CreateGEP(stored, base, element));
}

}  // namespace weft::cuda
