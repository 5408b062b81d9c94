#include <llvm/IR/Module.h>

#include "weft/backends/codegen/math/math.h"

namespace weft::codegen {
namespace {

using ir::Primitive;
using llvm::Value;

template <Value* (*form)(IRBuilder&, Value*)>
Value* unary(IRBuilder& b, Value* x, Value*) {
  return form(b, x);
}

constexpr MathFunction functions[] = {
    {Primitive::exp, "exp", 1, unary<emit_exp>, unary<emit_exp>},
    {Primitive::expm1, "expm1", 1, unary<emit_expm1>, unary<emit_expm1>},
    {Primitive::log, "log", 1, unary<emit_log>, unary<emit_log>},
    {Primitive::log1p, "log1p", 1, unary<emit_log1p>, unary<emit_log1p>},
    {Primitive::sin, "sin", 1, unary<emit_sin_f32>, nullptr},
    {Primitive::cos, "cos", 1, unary<emit_cos_f32>, nullptr},
    {Primitive::tanh, "tanh", 1, unary<emit_tanh>, unary<emit_tanh>},
    {Primitive::erf, "erf", 1, unary<emit_erf>, unary<emit_erf>},
    {Primitive::pow, "pow", 2, emit_pow, emit_pow},
};

/// For scalars and, lane by lane, for vectors.
Value* call_libm(IRBuilder& b, const MathFunction& f, Value* x, Value* y) {
  llvm::Type* type = x->getType()->getScalarType();
  const std::vector<Value*> operands = f.operands == 2 ? std::vector<Value*>{x, y} : std::vector<Value*>{x};
  const std::vector<llvm::Type*> parameters(operands.size(), type);
  const std::string name = is_f32(x) ? std::string(f.name) + "f" : f.name;
  auto callee = b.GetInsertBlock()->getModule()->getOrInsertFunction(name, llvm::FunctionType::get(type, parameters, false));
  auto* function = llvm::cast<llvm::Function>(callee.getCallee());
  // A pure function of its operands: LLVM may hoist and merge calls.
  function->setDoesNotAccessMemory();
  function->setDoesNotThrow();
  function->setWillReturn();
  if (!is_vector(x)) return b.CreateCall(callee, operands);
  Value* result = llvm::PoisonValue::get(x->getType());
  const unsigned lanes = llvm::cast<llvm::FixedVectorType>(x->getType())->getNumElements();
  for (uint64_t lane = 0; lane < lanes; ++lane) {
    std::vector<Value*> arguments;
    for (Value* v : operands) arguments.push_back(b.CreateExtractElement(v, lane));
    result = b.CreateInsertElement(result, b.CreateCall(callee, arguments), lane);
  }
  return result;
}

}  // namespace

const MathFunction* find_function(Primitive primitive) {
  for (const MathFunction& f : functions)
    if (f.primitive == primitive) return &f;
  return nullptr;
}

MathFunction::Inline inline_form(const MathFunction& function, DType dtype) {
  return dtype == f64 ? function.f64 : function.f32;
}

Value* emit_function(IRBuilder& b, const MathFunction& function, Value* x, Value* y) {
  const MathFunction::Inline form = inline_form(function, is_f32(x) ? f32 : f64);
  return form ? form(b, x, y) : call_libm(b, function, x, y);
}

}  // namespace weft::codegen
