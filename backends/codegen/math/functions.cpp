#include <fmt/format.h>
#include <llvm/IR/Module.h>

#include "weft/backends/codegen/math/math.h"

namespace weft::codegen {
namespace {

using ir::Primitive;
using llvm::Value;

/// log1p(a + a^2 / (1 + sqrt(1 + a^2))) with a = |x| and the sign of x; log(a) + log(2) where a^2 is so large that it is all that counts.
Value* emit_asinh(IRBuilder& b, Value* x) {
  const double large = 0x1p30;
  Value* a = emit_fabs(b, x);
  Value* s = normal_square(b, at_most(b, a, large));
  Value* root = b.CreateUnaryIntrinsic(llvm::Intrinsic::sqrt, b.CreateFAdd(s, number(x, 1)));
  Value* near = emit_log1p(b, emit_fma(b, a, b.CreateFDiv(a, b.CreateFAdd(root, number(x, 1))), a));
  Value* far = b.CreateFAdd(emit_log(b, a), number(x, 0.6931471805599453));
  return emit_copysign(b, b.CreateSelect(b.CreateFCmpOLT(a, number(x, large)), near, far), x);
}

template <Value* (*form)(IRBuilder&, Value*)>
Value* unary(IRBuilder& b, Value* x, Value*) {
  return form(b, x);
}

constexpr MathFunction functions[] = {
    // primitive, name, operands, f32, f64, the bounds of both in ulps, is_long
    {Primitive::exp, "exp", 1, unary<emit_exp>, unary<emit_exp>, 2, 1, false},
    {Primitive::expm1, "expm1", 1, unary<emit_expm1>, unary<emit_expm1>, 2, 2, false},
    {Primitive::log, "log", 1, unary<emit_log>, unary<emit_log>, 2, 1, false},
    {Primitive::log1p, "log1p", 1, unary<emit_log1p>, unary<emit_log1p>, 2, 2, false},
    {Primitive::sin, "sin", 1, unary<emit_sin_f32>, nullptr, 2, 1, true},
    {Primitive::cos, "cos", 1, unary<emit_cos_f32>, nullptr, 2, 1, true},
    {Primitive::tanh, "tanh", 1, unary<emit_tanh>, unary<emit_tanh>, 2, 3, false},
    {Primitive::erf, "erf", 1, unary<emit_erf>, unary<emit_erf>, 2, 1, false},
    {Primitive::atan, "atan", 1, unary<emit_atan>, unary<emit_atan>, 2, 2, false},
    {Primitive::asinh, "asinh", 1, unary<emit_asinh>, unary<emit_asinh>, 4, 4, false},
    {Primitive::pow, "pow", 2, emit_pow, emit_pow, 1, 1, true},
};

unsigned lanes_of(const Value* v) {
  const auto* vector = llvm::dyn_cast<llvm::FixedVectorType>(v->getType());
  return vector ? vector->getNumElements() : 1;
}

/// A pure function of its operands: LLVM may hoist and merge calls.
void mark_pure(llvm::Function& function) {
  function.setDoesNotAccessMemory();
  function.setDoesNotThrow();
  function.setWillReturn();
}

/// For scalars and, lane by lane, for vectors.
Value* call_libm(IRBuilder& b, const MathFunction& f, llvm::ArrayRef<Value*> operands) {
  Value* x = operands[0];
  llvm::Type* type = x->getType()->getScalarType();
  const std::vector<llvm::Type*> parameters(operands.size(), type);
  const std::string name = is_f32(x) ? std::string(f.name) + "f" : f.name;
  auto callee = b.GetInsertBlock()->getModule()->getOrInsertFunction(name, llvm::FunctionType::get(type, parameters, false));
  mark_pure(*llvm::cast<llvm::Function>(callee.getCallee()));
  if (!is_vector(x)) return b.CreateCall(callee, operands);
  Value* result = llvm::PoisonValue::get(x->getType());
  for (uint64_t lane = 0; lane < lanes_of(x); ++lane) {
    std::vector<Value*> arguments;
    for (Value* v : operands) arguments.push_back(b.CreateExtractElement(v, lane));
    result = b.CreateInsertElement(result, b.CreateCall(callee, arguments), lane);
  }
  return result;
}

/// The module's copy of the code.
Value* call_shared(IRBuilder& b, const MathFunction& f, MathFunction::Inline form, llvm::ArrayRef<Value*> operands) {
  Value* x = operands[0];
  llvm::Module& module = *b.GetInsertBlock()->getModule();
  const std::string name = fmt::format("weft.{}.{}x{}", f.name, is_f32(x) ? "f32" : "f64", lanes_of(x));
  llvm::Function* function = module.getFunction(name);
  if (!function) {
    const std::vector<llvm::Type*> parameters(operands.size(), x->getType());
    auto* type = llvm::FunctionType::get(x->getType(), parameters, false);
    function = llvm::Function::Create(type, llvm::Function::InternalLinkage, name, module);
    mark_pure(*function);
    IRBuilder inside(llvm::BasicBlock::Create(b.getContext(), "entry", function));
    inside.CreateRet(form(inside, function->getArg(0), operands.size() > 1 ? function->getArg(1) : nullptr));
  }
  return b.CreateCall(function, operands);
}

}  // namespace

const MathFunction* find_function(Primitive primitive) {
  for (const MathFunction& f : functions)
    if (f.primitive == primitive) return &f;
  return nullptr;
}

std::vector<FunctionBound> function_bounds() {
  std::vector<FunctionBound> bounds;
  for (const MathFunction& f : functions) bounds.push_back({f.name, f.operands, f.f32_ulps, f.f64_ulps});
  return bounds;
}

MathFunction::Inline inline_form(const MathFunction& function, DType dtype) { return dtype == f64 ? function.f64 : function.f32; }

Value* emit_function(IRBuilder& b, const MathFunction& function, Value* x, Value* y) {
  Value* both[] = {x, y};
  const llvm::ArrayRef<Value*> operands(both, static_cast<size_t>(function.operands));
  const MathFunction::Inline form = inline_form(function, is_f32(x) ? f32 : f64);
  if (!form) return call_libm(b, function, operands);
  return function.is_long ? call_shared(b, function, form, operands) : form(b, x, y);
}

}  // namespace weft::codegen
