#include <llvm/IR/Intrinsics.h>
#include <llvm/IR/Module.h>

#include "weft/backends/codegen/codegen.h"
#include "weft/backends/codegen/math/math.h"

namespace weft::codegen {

using llvm::Value;

bool is_f32(const Value* v) { return v->getType()->getScalarType()->isFloatTy(); }

Value* emit_fma(IRBuilder& b, Value* x, Value* y, Value* z) {
  return b.CreateIntrinsic(llvm::Intrinsic::fma, {x->getType()}, {x, y, z});
}

Value* horner(IRBuilder& b, Value* x, std::initializer_list<double> coefficients) {
  auto at = coefficients.begin();
  Value* sum = number(x, *at++);
  for (; at != coefficients.end(); ++at) sum = emit_fma(b, sum, x, number(x, *at));
  return sum;
}

Value* bits_of(IRBuilder& b, Value* x) { return b.CreateBitCast(x, shaped_like(b.getInt32Ty(), x->getType())); }

Value* float_of(IRBuilder& b, Value* bits) { return b.CreateBitCast(bits, shaped_like(b.getFloatTy(), bits->getType())); }

Value* call_libm(IRBuilder& b, const std::string& name, std::initializer_list<Value*> operands) {
  Value* first = *operands.begin();
  llvm::Type* type = first->getType()->getScalarType();
  llvm::Module* module = b.GetInsertBlock()->getModule();
  const std::vector<llvm::Type*> parameters(operands.size(), type);
  auto callee = module->getOrInsertFunction(is_f32(first) ? name + "f" : name,
                                                  llvm::FunctionType::get(type, parameters, false));
  auto* function = llvm::cast<llvm::Function>(callee.getCallee());
  // A pure function of its operands: LLVM may hoist and merge calls.
  function->setDoesNotAccessMemory();
  function->setDoesNotThrow();
  function->setWillReturn();
  if (!is_vector(first)) return b.CreateCall(callee, std::vector<Value*>(operands));
  Value* result = llvm::PoisonValue::get(first->getType());
  for (uint64_t lane = 0; lane < static_cast<uint64_t>(lanes); ++lane) {
    std::vector<Value*> arguments;
    for (Value* v : operands) arguments.push_back(b.CreateExtractElement(v, lane));
    result = b.CreateInsertElement(result, b.CreateCall(callee, arguments), lane);
  }
  return result;
}

}  // namespace weft::codegen
