#include <llvm/IR/Intrinsics.h>

#include "weft/backends/codegen/math/math.h"

namespace weft::codegen {

using llvm::Value;

bool is_f32(const Value* v) { return v->getType()->getScalarType()->isFloatTy(); }

Value* emit_fma(IRBuilder& b, Value* x, Value* y, Value* z) { return b.CreateIntrinsic(llvm::Intrinsic::fma, {x->getType()}, {x, y, z}); }

Value* emit_fabs(IRBuilder& b, Value* x) { return b.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, x); }

Value* emit_copysign(IRBuilder& b, Value* magnitude, Value* sign) {
  return b.CreateBinaryIntrinsic(llvm::Intrinsic::copysign, magnitude, sign);
}

Value* at_most(IRBuilder& b, Value* x, double bound) { return b.CreateSelect(b.CreateFCmpOGT(x, number(x, bound)), number(x, bound), x); }

Value* normal_square(IRBuilder& b, Value* a) {
  Value* least = number(a, 0x1p-30);
  a = b.CreateSelect(b.CreateFCmpOLT(a, least), least, a);
  return b.CreateFMul(a, a);
}

Value* horner(IRBuilder& b, Value* x, std::initializer_list<double> coefficients) {
  auto at = coefficients.begin();
  Value* sum = number(x, *at++);
  for (; at != coefficients.end(); ++at) sum = emit_fma(b, sum, x, number(x, *at));
  return sum;
}

Value* bits_of(IRBuilder& b, Value* x) {
  return b.CreateBitCast(x, shaped_like(is_f32(x) ? b.getInt32Ty() : b.getInt64Ty(), x->getType()));
}

Value* float_of(IRBuilder& b, Value* bits) {
  llvm::Type* element = bits->getType()->getScalarSizeInBits() == 32 ? b.getFloatTy() : b.getDoubleTy();
  return b.CreateBitCast(bits, shaped_like(element, bits->getType()));
}

int significand_bits(const Value* x) { return is_f32(x) ? 23 : 52; }

}  // namespace weft::codegen
