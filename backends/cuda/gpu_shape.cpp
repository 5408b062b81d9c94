#include "weft/backends/cuda/gpu_shape.h"

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/IntrinsicsNVPTX.h>
#include <llvm/IR/Module.h>

#include <algorithm>

#include "weft/backends/codegen/loop_builder.h"
#include "weft/backends/cuda/entry.h"

namespace weft::cuda {
namespace {

namespace nvvm = llvm::Intrinsic;

class Entry {
 public:
  explicit Entry(llvm::Function* function) : function_(function), b_(function->getContext()) {
    b_.SetInsertPoint(llvm::BasicBlock::Create(b_.getContext(), "entry", function));
  }

  /// All threads of the grid share every nest's units.
  void run_shared(std::span<const codegen::EmittedNest> nests) {
    llvm::Value* block = special(nvvm::nvvm_read_ptx_sreg_ctaid_x);
    llvm::Value* size = special(nvvm::nvvm_read_ptx_sreg_ntid_x);
    llvm::Value* first = b_.CreateAdd(b_.CreateMul(block, size), special(nvvm::nvvm_read_ptx_sreg_tid_x));
    llvm::Value* count = b_.CreateMul(special(nvvm::nvvm_read_ptx_sreg_nctaid_x), size);
    for (const codegen::EmittedNest& nest : nests) stride(nest, first, count);
    b_.CreateRetVoid();
  }

  /// The first block's threads share one nest's units after the other.
  void run_in_order(std::span<const codegen::EmittedNest> nests) {
    auto* inside = llvm::BasicBlock::Create(b_.getContext(), "first_block", function_);
    auto* done = llvm::BasicBlock::Create(b_.getContext(), "done", function_);
    b_.CreateCondBr(b_.CreateICmpEQ(special(nvvm::nvvm_read_ptx_sreg_ctaid_x), b_.getInt64(0)), inside, done);
    b_.SetInsertPoint(inside);
    llvm::Value *first = special(nvvm::nvvm_read_ptx_sreg_tid_x), *count = special(nvvm::nvvm_read_ptx_sreg_ntid_x);
    for (size_t i = 0; i < nests.size(); ++i) {
      // Also makes what every thread of the block has written visible to the others.
      if (i > 0) b_.CreateIntrinsic(nvvm::nvvm_barrier0, {}, {});
      stride(nests[i], first, count);
    }
    b_.CreateBr(done);
    b_.SetInsertPoint(done);
    b_.CreateRetVoid();
  }

 private:
  llvm::Value* special(llvm::Intrinsic::ID id) { return b_.CreateZExt(b_.CreateIntrinsic(id, {}, {}), b_.getInt64Ty()); }

  void stride(const codegen::EmittedNest& nest, llvm::Value* first, llvm::Value* count) {
    codegen::LoopBuilder loops(b_);
    loops.loop(first, b_.getInt64(static_cast<uint64_t>(nest.units)), count, "unit", [&](llvm::Value* unit) {
      b_.CreateCall(nest.function, {function_->getArg(0), unit, b_.CreateNSWAdd(unit, b_.getInt64(1))});
    });
  }

  llvm::Function* function_;
  llvm::IRBuilder<> b_;
};

}  // namespace

int64_t GpuShape::emit_entry(llvm::Module& module, const std::string& name, std::span<const codegen::EmittedNest> nests, int buffers,
                             bool serial) const {
  // A call would keep its arguments in memory, and hide from LLVM that a unit is a loop of one turn.
  for (llvm::Function& function : module)
    if (function.hasInternalLinkage()) function.addFnAttr(llvm::Attribute::AlwaysInline);
  Entry entry(create_entry(module, name, buffers));
  if (serial) entry.run_in_order(nests);
  else entry.run_shared(nests);
  int64_t units = 0;
  for (const codegen::EmittedNest& nest : nests) units = std::max(units, nest.units);
  return units;
}

}  // namespace weft::cuda
