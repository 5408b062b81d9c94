#include "weft/backends/cuda/gpu_shape.h"

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/IntrinsicsNVPTX.h>
#include <llvm/IR/Module.h>

#include <algorithm>

#include "weft/backends/codegen/loop_builder.h"

namespace weft::cuda {
namespace {

namespace nvvm = llvm::Intrinsic;

constexpr uint32_t block_threads = 256;
/// Threads stride over the grid: so many blocks fill any GPU.
constexpr int64_t most_blocks = 1024;

/// A function that the host may launch; its parameter holds the pointers themselves.
llvm::Function* create_entry(llvm::Module& module, const std::string& name, int buffers, unsigned space) {
  llvm::LLVMContext& context = module.getContext();
  llvm::Type* pointer = llvm::PointerType::get(context, 0);
  auto* type = llvm::FunctionType::get(llvm::Type::getVoidTy(context), {pointer}, false);
  auto* function = llvm::Function::Create(type, llvm::Function::ExternalLinkage, name, module);
  auto* table = llvm::ArrayType::get(llvm::PointerType::get(context, space), static_cast<uint64_t>(buffers));
  function->getArg(0)->setName("buffers");
  function->addParamAttr(0, llvm::Attribute::getWithByValType(context, table));
  function->addParamAttr(0, llvm::Attribute::getWithAlignment(context, llvm::Align(8)));
  llvm::Metadata* kernel[] = {llvm::ValueAsMetadata::get(function), llvm::MDString::get(context, "kernel"),
                              llvm::ConstantAsMetadata::get(llvm::ConstantInt::get(llvm::Type::getInt32Ty(context), 1))};
  module.getOrInsertNamedMetadata("nvvm.annotations")->addOperand(llvm::MDNode::get(context, kernel));
  return function;
}

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

std::vector<codegen::EntryPoint> GpuShape::emit_entries(llvm::Module& module, const std::string& name,
                                                        std::span<const codegen::EmittedNest> nests, int buffers, bool serial) const {
  // A call would keep its arguments in memory, and hide from LLVM that a unit is a loop of one turn.
  for (llvm::Function& function : module)
    if (function.hasInternalLinkage()) function.addFnAttr(llvm::Attribute::AlwaysInline);
  Entry entry(create_entry(module, name, buffers, buffer_space()));
  if (serial) entry.run_in_order(nests);
  else entry.run_shared(nests);
  int64_t units = 1;
  for (const codegen::EmittedNest& nest : nests) units = std::max(units, nest.units);
  const int64_t blocks = serial ? 1 : std::min((units + block_threads - 1) / block_threads, most_blocks);
  return {{.name = name, .blocks = static_cast<uint32_t>(blocks), .threads = block_threads}};
}

std::vector<KernelLaunch> launches_of(const codegen::Kernel& kernel) {
  std::vector<KernelLaunch> launches;
  for (const codegen::EntryPoint& e : kernel.entries) launches.push_back({e.name, e.blocks, e.threads});
  return launches;
}

}  // namespace weft::cuda
