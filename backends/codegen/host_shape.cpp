#include "weft/backends/codegen/host_shape.h"

#include <llvm/IR/Constants.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Intrinsics.h>
#include <llvm/IR/Module.h>

#include "weft/backends/codegen/codegen.h"

namespace weft::codegen {

std::vector<EntryPoint> HostShape::emit_kernel(llvm::Module& module, const std::string& name, const ir::Op& op, const KernelTable& table,
                                               Nests& shared) const {
  std::vector<EmittedNest> nests;
  for (const KernelPart& part : table.parts)
    nests.push_back(shared.of(*part.nest, name + ".nest" + std::to_string(nests.size()), lanes_, part.buffers));
  const bool serial = is_serial(op);
  llvm::LLVMContext& context = module.getContext();
  llvm::IRBuilder<> b(context);
  auto* type = llvm::FunctionType::get(b.getVoidTy(), {b.getPtrTy(), b.getInt64Ty(), b.getInt64Ty()}, false);
  auto* function = llvm::Function::Create(type, llvm::Function::ExternalLinkage, name, module);
  b.SetInsertPoint(llvm::BasicBlock::Create(context, "entry", function));
  llvm::Value *buffers = function->getArg(0), *begin = function->getArg(1), *end = function->getArg(2);
  const auto numbers_of = [&](const EmittedNest& nest) -> llvm::Value* {
    const std::vector<uint32_t> numbers(nest.buffers.begin(), nest.buffers.end());
    llvm::Constant* table = llvm::ConstantDataArray::get(context, numbers);
    auto* global = new llvm::GlobalVariable(module, table->getType(), true, llvm::GlobalValue::PrivateLinkage, table,
                                            nest.function->getName() + ".buffers");
    global->setUnnamedAddr(llvm::GlobalValue::UnnamedAddr::Global);
    return global;
  };
  int64_t total = 0;
  for (const EmittedNest& nest : nests) {
    // Inlined, many nests would make one function that takes long to compile.
    if (nests.size() > 1) nest.function->addFnAttr(llvm::Attribute::NoInline);
    if (serial || nests.size() == 1) {
      // One unit that runs everything in order, or the nest's own units.
      llvm::Value* from = serial ? b.getInt64(0) : begin;
      llvm::Value* to = serial ? b.getInt64(static_cast<uint64_t>(nest.units)) : end;
      b.CreateCall(nest.function, {buffers, from, to, numbers_of(nest)});
    } else {
      // The nests' units one after the other: this one's are total to total + units - 1.
      const auto clip = [&](llvm::Value* v) {
        v = b.CreateSub(v, b.getInt64(static_cast<uint64_t>(total)));
        v = b.CreateBinaryIntrinsic(llvm::Intrinsic::smax, v, b.getInt64(0));
        return b.CreateBinaryIntrinsic(llvm::Intrinsic::smin, v, b.getInt64(static_cast<uint64_t>(nest.units)));
      };
      b.CreateCall(nest.function, {buffers, clip(begin), clip(end), numbers_of(nest)});
    }
    total += nest.units;
  }
  b.CreateRetVoid();
  return {{name, serial ? 1 : total}};
}

}  // namespace weft::codegen
