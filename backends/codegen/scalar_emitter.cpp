#include "weft/backends/codegen/scalar_emitter.h"

#include <llvm/IR/Intrinsics.h>

#include "weft/backends/codegen/math/math.h"
#include "weft/support/conversion.h"
#include "weft/support/error.h"

namespace weft::codegen {
namespace {

using ir::Primitive;
using ir::ScalarNode;
using llvm::Value;

/// Division that never traps: x / 0 is 0, and the most negative number over -1 wraps.
Value* divide_integers(IRBuilder& b, DType t, Value* x, Value* y) {
  Value* zero = b.CreateICmpEQ(y, integer(y, 0));
  if (is_unsigned(t)) {
    Value* q = b.CreateUDiv(x, b.CreateSelect(zero, integer(y, 1), y));
    return b.CreateSelect(zero, integer(x, 0), q);
  }
  Value* minus_one = b.CreateICmpEQ(y, integer(y, -1));
  Value* safe = b.CreateSelect(b.CreateOr(zero, minus_one), integer(y, 1), y);
  Value* q = b.CreateSelect(minus_one, b.CreateNeg(x), b.CreateSDiv(x, safe));
  return b.CreateSelect(zero, integer(x, 0), q);
}

/// 0 where the count is negative or not below the width.
Value* shift(IRBuilder& b, llvm::Instruction::BinaryOps direction, Value* x, Value* count) {
  const unsigned width = x->getType()->getScalarSizeInBits();
  Value* inside = b.CreateICmpULT(count, integer(count, width));
  Value* shifted = b.CreateBinOp(direction, x, b.CreateSelect(inside, count, integer(count, 0)));
  return b.CreateSelect(inside, shifted, integer(x, 0));
}

Value* compare(IRBuilder& b, Primitive p, DType t, Value* x, Value* y) {
  if (is_floating(t)) {
    switch (p) {
      case Primitive::equal: return b.CreateFCmpOEQ(x, y);
      case Primitive::not_equal: return b.CreateFCmpUNE(x, y);
      case Primitive::less: return b.CreateFCmpOLT(x, y);
      default: return b.CreateFCmpOLE(x, y);
    }
  }
  switch (p) {
    case Primitive::equal: return b.CreateICmpEQ(x, y);
    case Primitive::not_equal: return b.CreateICmpNE(x, y);
    case Primitive::less: return is_unsigned(t) ? b.CreateICmpULT(x, y) : b.CreateICmpSLT(x, y);
    default: return is_unsigned(t) ? b.CreateICmpULE(x, y) : b.CreateICmpSLE(x, y);
  }
}

/// The whole part of v modulo 2^width, in an integer type of up to 32 bits; 0 for what is not finite. Every step is exact.
Value* wrapped(IRBuilder& b, Value* v, llvm::Type* type) {
  Value* size = b.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, v);
  Value* whole = b.CreateUnaryIntrinsic(llvm::Intrinsic::floor, size);
  Value* turns = b.CreateUnaryIntrinsic(llvm::Intrinsic::floor, b.CreateFMul(whole, number(v, 0x1p-32)));
  Value* rest = b.CreateFSub(whole, b.CreateFMul(turns, number(v, 0x1p32)));  // below 2^32; of infinities nan
  Value* finite = b.CreateSelect(b.CreateFCmpORD(rest, rest), rest, llvm::Constant::getNullValue(v->getType()));
  Value* bits = b.CreateFPToUI(finite, shaped_like(b.getInt32Ty(), v->getType()));
  Value* is_negative = b.CreateFCmpOLT(v, llvm::Constant::getNullValue(v->getType()));
  return b.CreateTrunc(b.CreateSelect(is_negative, b.CreateNeg(bits), bits), type);
}

Value* cast(IRBuilder& b, DType from, DType to, Value* v) {
  llvm::Type* type = shaped_like(register_type(b.getContext(), to), v->getType());
  if (from == to) return v;
  if (to == boolean) {
    return is_floating(from) ? b.CreateFCmpUNE(v, llvm::Constant::getNullValue(v->getType()))
                             : b.CreateICmpNE(v, llvm::Constant::getNullValue(v->getType()));
  }
  if (is_floating(from) && is_floating(to)) {
    return rounded(b, to, b.CreateFPCast(v, type));
  }
  if (is_floating(from)) {
    // The conversion must be a function of its operand, whatever that is.
    if (to == i64 || to == i32) return b.CreateIntrinsic(llvm::Intrinsic::fptosi_sat, {type, v->getType()}, {v});
    return wrapped(b, v, type);
  }
  if (is_floating(to)) {
    return rounded(b, to, is_unsigned(from) ? b.CreateUIToFP(v, type) : b.CreateSIToFP(v, type));
  }
  return is_unsigned(from) ? b.CreateZExtOrTrunc(v, type) : b.CreateSExtOrTrunc(v, type);
}

Value* floating(IRBuilder& b, Primitive p, Value* x, Value* y, Value* z) {
  const auto intrinsic = [&](llvm::Intrinsic::ID id) { return b.CreateUnaryIntrinsic(id, x); };
  switch (p) {
    case Primitive::add: return b.CreateFAdd(x, y);
    case Primitive::subtract: return b.CreateFSub(x, y);
    case Primitive::multiply: return b.CreateFMul(x, y);
    case Primitive::divide: return b.CreateFDiv(x, y);
    case Primitive::negate: return b.CreateFNeg(x);
    case Primitive::absolute: return intrinsic(llvm::Intrinsic::fabs);
    case Primitive::fma: return b.CreateIntrinsic(llvm::Intrinsic::fma, {x->getType()}, {x, y, z});
    case Primitive::sqrt: return intrinsic(llvm::Intrinsic::sqrt);
    case Primitive::floor: return intrinsic(llvm::Intrinsic::floor);
    case Primitive::ceil: return intrinsic(llvm::Intrinsic::ceil);
    case Primitive::round_even: return intrinsic(llvm::Intrinsic::roundeven);
    default: {
      const MathFunction* function = find_function(p);
      WEFT_CHECK(function, "no floating form of {}", ir::name_of(p));
      Value* v = emit_function(b, *function, x, y);
      // The function may miss the nearest number by a bit; squaring does not, and x^2 is written either way.
      return p == Primitive::pow ? b.CreateSelect(b.CreateFCmpOEQ(y, number(y, 2)), b.CreateFMul(x, x), v) : v;
    }
  }
}

Value* integral(IRBuilder& b, Primitive p, DType t, Value* x, Value* y) {
  switch (p) {
    case Primitive::add: return b.CreateAdd(x, y);
    case Primitive::subtract: return b.CreateSub(x, y);
    case Primitive::multiply: return b.CreateMul(x, y);
    case Primitive::divide: return divide_integers(b, t, x, y);
    case Primitive::negate: return b.CreateNeg(x);
    case Primitive::absolute: return is_unsigned(t) ? x : b.CreateSelect(b.CreateICmpSLT(x, integer(x, 0)), b.CreateNeg(x), x);
    case Primitive::bit_and: return b.CreateAnd(x, y);
    case Primitive::bit_or: return b.CreateOr(x, y);
    case Primitive::bit_xor: return b.CreateXor(x, y);
    case Primitive::bit_not: return b.CreateNot(x);
    case Primitive::shift_left: return shift(b, llvm::Instruction::Shl, x, y);
    case Primitive::shift_right: return shift(b, llvm::Instruction::LShr, x, y);
    default: throw InternalError(fmt::format("no integer form of {}", ir::name_of(p)));
  }
}

Value* constant(IRBuilder& b, const ScalarNode& n) {
  llvm::Type* type = register_type(b.getContext(), n.dtype);
  if (is_floating(n.dtype)) return llvm::ConstantFP::get(type, n.real);
  return llvm::ConstantInt::get(type, static_cast<uint64_t>(n.integer), true);
}

/// Is it a constant of a narrow type that this does not hold? It is computed with as an f32.
bool is_inexact(const ScalarNode& n) { return is_narrow(n.dtype) && weft::rounded(n.dtype, n.real) != n.real; }

}  // namespace

Value* emit_scalar(IRBuilder& b, const ir::ScalarExpression& expression, std::span<Value* const> arguments) {
  std::vector<Value*> values;
  bool computed_narrow = false;
  for (const ScalarNode& n : expression.nodes) {
    if (n.primitive == Primitive::argument) {
      values.push_back(arguments[static_cast<size_t>(n.integer)]);
      continue;
    }
    if (n.primitive == Primitive::constant) {
      values.push_back(constant(b, n));
      computed_narrow = computed_narrow || is_inexact(n);
      continue;
    }
    Value* x = values[static_cast<size_t>(n.a)];
    Value* y = n.b < 0 ? nullptr : values[static_cast<size_t>(n.b)];
    Value* z = n.c < 0 ? nullptr : values[static_cast<size_t>(n.c)];
    unsigned lanes = 1;
    for (Value* v : {x, y, z})
      if (v && is_vector(v)) lanes = llvm::cast<llvm::FixedVectorType>(v->getType())->getNumElements();
    if (lanes > 1) {
      x = splat(b, x, lanes);
      if (y) y = splat(b, y, lanes);
      if (z) z = splat(b, z, lanes);
    }
    const DType operand_type = expression.nodes[static_cast<size_t>(n.a)].dtype;
    Value* v = nullptr;
    if (n.primitive == Primitive::select) v = b.CreateSelect(x, y, z);
    else if (n.primitive == Primitive::cast) v = cast(b, operand_type, n.dtype, x);
    else if (n.primitive >= Primitive::equal && n.primitive <= Primitive::less_equal) v = compare(b, n.primitive, operand_type, x, y);
    else if (is_floating(n.dtype)) {
      v = floating(b, n.primitive, x, y, z);
      computed_narrow = computed_narrow || is_narrow(n.dtype);
    } else {
      v = integral(b, n.primitive, n.dtype, x, y);
    }
    values.push_back(v);
  }
  // An op rounds once, as in PyTorch: what it computes on the way stays an f32.
  return computed_narrow ? rounded(b, expression.nodes.back().dtype, values.back()) : values.back();
}

}  // namespace weft::codegen
