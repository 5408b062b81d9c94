#include "weft/backends/codegen/codegen.h"

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Intrinsics.h>
#include <llvm/IR/Module.h>

#include <numeric>

#include "weft/backends/codegen/nest_emitter.h"
#include "weft/ir/op_def.h"

namespace weft::codegen {
namespace {

/// A nest with the kernel's buffers for its operands and results.
struct Part {
  const ir::Op* fused;
  std::vector<int> inputs, outputs;
};

/// The nests of the op, in order.
std::vector<Part> parts_of(const ir::Op& op) {
  const int operands = static_cast<int>(op.operands().size());
  if (op.is("fused")) {
    Part part{&op, std::vector<int>(static_cast<size_t>(operands)), std::vector<int>(static_cast<size_t>(op.result_count()))};
    std::iota(part.inputs.begin(), part.inputs.end(), 0);
    std::iota(part.outputs.begin(), part.outputs.end(), operands);
    return {part};
  }
  const ir::Graph& body = op.body();
  const auto buffer_of = [&](ir::Value v) {
    if (v.is_input()) return v.index();
    for (size_t i = 0; i < body.outputs().size(); ++i)
      if (body.outputs()[i].value == v) return operands + static_cast<int>(i);
    throw InternalError("a nest's result is no result of its kernel");
  };
  std::vector<Part> parts;
  for (const auto& nest : body.ops()) {
    Part part{nest.get(), {}, {}};
    for (ir::Value v : nest->operands()) part.inputs.push_back(buffer_of(v));
    for (ir::Value v : nest->results()) part.outputs.push_back(buffer_of(v));
    parts.push_back(std::move(part));
  }
  return parts;
}

}  // namespace

int64_t emit_kernel(llvm::Module& module, const ir::Op& op, const std::string& name) {
  llvm::LLVMContext& context = module.getContext();
  llvm::IRBuilder<> b(context);
  std::vector<EmittedNest> nests;
  for (const Part& part : parts_of(op))
    nests.push_back(emit_nest(module, part.fused->body(), name + ".nest" + std::to_string(nests.size()), part.inputs, part.outputs));

  auto* type = llvm::FunctionType::get(b.getVoidTy(), {llvm::PointerType::getUnqual(context), b.getInt64Ty(), b.getInt64Ty()}, false);
  auto* function = llvm::Function::Create(type, llvm::Function::ExternalLinkage, name, module);
  b.SetInsertPoint(llvm::BasicBlock::Create(context, "entry", function));
  llvm::Value *buffers = function->getArg(0), *begin = function->getArg(1), *end = function->getArg(2);
  const bool serial = op.is("kernel") && op.flag("serial");
  int64_t total = 0;
  for (const EmittedNest& nest : nests) {
    if (serial || nests.size() == 1) {
      // One unit that runs everything in order, or the nest's own units.
      llvm::Value* from = serial ? b.getInt64(0) : begin;
      llvm::Value* to = serial ? b.getInt64(static_cast<uint64_t>(nest.units)) : end;
      b.CreateCall(nest.function, {buffers, from, to});
    } else {
      // The nests' units one after the other: this one's are total to total + units - 1.
      const auto clip = [&](llvm::Value* v) {
        v = b.CreateSub(v, b.getInt64(static_cast<uint64_t>(total)));
        v = b.CreateBinaryIntrinsic(llvm::Intrinsic::smax, v, b.getInt64(0));
        return b.CreateBinaryIntrinsic(llvm::Intrinsic::smin, v, b.getInt64(static_cast<uint64_t>(nest.units)));
      };
      b.CreateCall(nest.function, {buffers, clip(begin), clip(end)});
    }
    total += nest.units;
  }
  b.CreateRetVoid();
  return serial ? 1 : total;
}

}  // namespace weft::codegen
