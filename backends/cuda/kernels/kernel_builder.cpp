#include "weft/backends/cuda/kernels/kernel_builder.h"

#include <llvm/IR/IntrinsicsNVPTX.h>
#include <llvm/IR/Module.h>

#include "weft/backends/codegen/loop_builder.h"

namespace weft::cuda {

namespace nvvm = llvm::Intrinsic;

KernelBuilder::KernelBuilder(llvm::Module& module, const ir::Op& op, const std::string& name, uint32_t threads, uint32_t blocks_at_once)
    : b(module.getContext()), function_(create_entry(module, name, static_cast<int>(op.operands().size()) + op.result_count())),
      launch_{name, 1, threads} {
  limit_threads(*function_, threads, blocks_at_once);
  b.SetInsertPoint(llvm::BasicBlock::Create(b.getContext(), "entry", function_));
}

Value* KernelBuilder::thread() { return b.CreateIntrinsic(nvvm::nvvm_read_ptx_sreg_tid_x, {}, {}); }
Value* KernelBuilder::block() { return b.CreateIntrinsic(nvvm::nvvm_read_ptx_sreg_ctaid_x, {}, {}); }

Value* KernelBuilder::grid_thread() {
  Value* before = b.CreateMul(b.CreateZExt(block(), b.getInt64Ty()), b.getInt64(launch_.threads));
  return b.CreateAdd(before, b.CreateZExt(thread(), b.getInt64Ty()));
}

Value* KernelBuilder::buffer(int number) {
  llvm::Type* pointer = llvm::PointerType::get(b.getContext(), global_space);
  return b.CreateLoad(pointer, b.CreateConstGEP1_64(pointer, function_->getArg(0), static_cast<uint64_t>(number)));
}

Value* KernelBuilder::load(DType dtype, Value* pointer, Value* offset, bool constant) {
  return codegen::from_memory(b, dtype, load_bits(dtype, pointer, offset, constant));
}

Value* KernelBuilder::load_bits(DType dtype, Value* pointer, Value* offset, bool constant) {
  llvm::Type* type = codegen::memory_type(b.getContext(), dtype);
  llvm::LoadInst* read = b.CreateAlignedLoad(type, b.CreateGEP(type, pointer, offset), codegen::alignment_of(dtype));
  if (constant) read->setMetadata(llvm::LLVMContext::MD_invariant_load, llvm::MDNode::get(b.getContext(), {}));
  return read;
}

void KernelBuilder::store(DType dtype, Value* pointer, Value* offset, Value* value) {
  value = codegen::rounded(b, dtype, value);
  llvm::Type* type = codegen::memory_type(b.getContext(), dtype);
  b.CreateAlignedStore(codegen::to_memory(b, dtype, value), b.CreateGEP(type, pointer, offset), codegen::alignment_of(dtype));
}

Value* KernelBuilder::shared(llvm::Type* element, int64_t count) {
  auto* type = llvm::ArrayType::get(element, static_cast<uint64_t>(count));
  auto* memory =
      new llvm::GlobalVariable(*function_->getParent(), type, false, llvm::GlobalValue::InternalLinkage, llvm::UndefValue::get(type),
                               launch_.name + "_shared", nullptr, llvm::GlobalValue::NotThreadLocal, shared_space);
  memory->setAlignment(llvm::Align(16));
  return memory;
}

void KernelBuilder::barrier() { b.CreateIntrinsic(nvvm::nvvm_barrier0, {}, {}); }

void KernelBuilder::when(Value* condition, const std::function<void()>& body) { codegen::LoopBuilder(b).when(condition, "when", body); }

Values KernelBuilder::repeat(Values carried, const std::function<Value*(const Values&)>& condition,
                             const std::function<Values(const Values&)>& body) {
  llvm::BasicBlock* before = b.GetInsertBlock();
  auto* head = llvm::BasicBlock::Create(b.getContext(), "loop", function_);
  auto* inside = llvm::BasicBlock::Create(b.getContext(), "loop.body", function_);
  auto* after = llvm::BasicBlock::Create(b.getContext(), "loop.end", function_);
  b.CreateBr(head);

  b.SetInsertPoint(head);
  std::vector<llvm::PHINode*> phis;
  for (Value*& value : carried) {
    phis.push_back(b.CreatePHI(value->getType(), 2));
    phis.back()->addIncoming(value, before);
    value = phis.back();
  }
  Value* goes_on = condition(carried);
  b.CreateCondBr(goes_on, inside, after);

  b.SetInsertPoint(inside);
  const Values next = body(carried);
  for (size_t i = 0; i < phis.size(); ++i) phis[i]->addIncoming(next[i], b.GetInsertBlock());
  b.CreateBr(head);

  b.SetInsertPoint(after);
  return carried;
}

Values KernelBuilder::loop(Value* begin, Value* end, Value* step, Values carried,
                           const std::function<Values(Value*, const Values&)>& body) {
  carried.insert(carried.begin(), begin);
  carried = repeat(
      carried, [&](const Values& v) { return b.CreateICmpULT(v[0], end); },
      [&](const Values& v) {
        Values next = body(v[0], {v.begin() + 1, v.end()});
        next.insert(next.begin(), b.CreateAdd(v[0], step));
        return next;
      });
  return {carried.begin() + 1, carried.end()};
}

KernelLaunch KernelBuilder::finish(int64_t blocks) {
  b.CreateRetVoid();
  WEFT_CHECK(blocks >= 1 && blocks <= most_blocks, "a launch of {} blocks", blocks);
  launch_.blocks = static_cast<uint32_t>(blocks);
  return launch_;
}

Values digits_of(IRBuilder& b, Value* number, const std::vector<int64_t>& extents) {
  Values digits(extents.size());
  for (size_t i = extents.size(); i-- > 0;) {
    llvm::Constant* extent = codegen::integer(number, extents[i]);
    digits[i] = i == 0 ? number : extents[i] == 1 ? codegen::integer(number, 0) : b.CreateURem(number, extent);
    if (i > 0) number = b.CreateUDiv(number, extent);
  }
  return digits;
}

}  // namespace weft::cuda
