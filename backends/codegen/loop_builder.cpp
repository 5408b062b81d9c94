#include "weft/backends/codegen/loop_builder.h"

namespace weft::codegen {

void LoopBuilder::loop(llvm::Value* begin, llvm::Value* end, llvm::Value* step, const std::string& name,
                       const std::function<void(llvm::Value*)>& body) {
  llvm::LLVMContext& context = b_.getContext();
  llvm::Function* function = b_.GetInsertBlock()->getParent();
  llvm::BasicBlock* before = b_.GetInsertBlock();
  auto* head = llvm::BasicBlock::Create(context, name, function);
  auto* inside = llvm::BasicBlock::Create(context, name + ".body", function);
  auto* after = llvm::BasicBlock::Create(context, name + ".end", function);
  levels_.back().hoist = b_.CreateBr(head);

  b_.SetInsertPoint(head);
  llvm::PHINode* i = b_.CreatePHI(begin->getType(), 2, name + ".i");
  i->addIncoming(begin, before);
  b_.CreateCondBr(b_.CreateICmpSLT(i, end), inside, after);

  b_.SetInsertPoint(inside);
  levels_.push_back({});
  body(i);
  if (on_close) on_close(depth());
  levels_.pop_back();
  i->addIncoming(b_.CreateAdd(i, step), b_.GetInsertBlock());
  b_.CreateBr(head);

  b_.SetInsertPoint(after);
  levels_.back().hoist = nullptr;
}

void LoopBuilder::scope(const std::function<void()>& body) {
  // What belongs outside goes before this, which is nothing.
  auto* start = llvm::cast<llvm::Instruction>(b_.Insert(new llvm::FreezeInst(b_.getFalse())));
  levels_.back().hoist = start;
  levels_.push_back({});
  body();
  if (on_close) on_close(depth());
  levels_.pop_back();
  levels_.back().hoist = nullptr;
}

void LoopBuilder::when(llvm::Value* condition, const std::string& name, const std::function<void()>& body) {
  llvm::LLVMContext& context = b_.getContext();
  llvm::Function* function = b_.GetInsertBlock()->getParent();
  auto* inside = llvm::BasicBlock::Create(context, name, function);
  auto* after = llvm::BasicBlock::Create(context, name + ".end", function);
  b_.CreateCondBr(condition, inside, after);
  b_.SetInsertPoint(inside);
  body();
  b_.CreateBr(after);
  b_.SetInsertPoint(after);
}

llvm::Value* LoopBuilder::at_level(int level, const std::function<llvm::Value*()>& emit) {
  llvm::Instruction* hoist = levels_[static_cast<size_t>(level)].hoist;
  if (!hoist) return emit();
  // By the instruction, which may come to stand in another block where `emit` branches.
  llvm::BasicBlock* block = b_.GetInsertBlock();
  llvm::Instruction* at = b_.GetInsertPoint() == block->end() ? nullptr : &*b_.GetInsertPoint();
  b_.SetInsertPoint(hoist);
  llvm::Value* value = emit();
  if (at) b_.SetInsertPoint(at);
  else b_.SetInsertPoint(block);
  return value;
}

}  // namespace weft::codegen
