#include "weft/backends/cuda/entry.h"

#include <llvm/IR/Constants.h>
#include <llvm/IR/DerivedTypes.h>
#include <llvm/IR/Function.h>
#include <llvm/IR/Metadata.h>
#include <llvm/IR/Module.h>

namespace weft::cuda {

void annotate(llvm::Function& function, const char* what, uint32_t value) {
  llvm::LLVMContext& context = function.getContext();
  llvm::Metadata* parts[] = {llvm::ValueAsMetadata::get(&function), llvm::MDString::get(context, what),
                             llvm::ConstantAsMetadata::get(llvm::ConstantInt::get(llvm::Type::getInt32Ty(context), value))};
  function.getParent()->getOrInsertNamedMetadata("nvvm.annotations")->addOperand(llvm::MDNode::get(context, parts));
}

llvm::Function* create_entry(llvm::Module& module, const std::string& name, int buffers) {
  llvm::LLVMContext& context = module.getContext();
  llvm::Type* pointer = llvm::PointerType::get(context, 0);
  auto* type = llvm::FunctionType::get(llvm::Type::getVoidTy(context), {pointer}, false);
  auto* function = llvm::Function::Create(type, llvm::Function::ExternalLinkage, name, module);
  auto* table = llvm::ArrayType::get(llvm::PointerType::get(context, global_space), static_cast<uint64_t>(buffers));
  function->getArg(0)->setName("buffers");
  function->addParamAttr(0, llvm::Attribute::getWithByValType(context, table));
  function->addParamAttr(0, llvm::Attribute::getWithAlignment(context, llvm::Align(8)));
  annotate(*function, "kernel", 1);
  return function;
}

void limit_threads(llvm::Function& entry, uint32_t threads, uint32_t blocks_at_once) {
  annotate(entry, "maxntidx", threads);
  annotate(entry, "minctasm", blocks_at_once);
}

}  // namespace weft::cuda
