#include "weft/backends/cuda/gpu_shape.h"

#include <llvm/IR/Module.h>

#include <algorithm>

#include "weft/backends/cuda/entry.h"
#include "weft/backends/cuda/nest_code.h"
#include "weft/backends/cuda/nest_order.h"
#include "weft/backends/cuda/thread_code.h"
#include "weft/support/error.h"

namespace weft::cuda {
namespace {

/// Nests of one launch have blocks of so many threads.
constexpr int joined_threads = 256;
/// Of a block, on any GPU.
constexpr uint64_t most_shared_bytes = 49152;
constexpr const char* scratch_name = "weft_scratch";

/// A variable of so many bytes that start as anything.
llvm::GlobalVariable* create_memory(llvm::Module& module, const std::string& name, uint64_t bytes, unsigned space) {
  auto* type = llvm::ArrayType::get(llvm::Type::getInt8Ty(module.getContext()), bytes);
  auto* memory = new llvm::GlobalVariable(module, type, false, llvm::GlobalValue::InternalLinkage, llvm::UndefValue::get(type), name,
                                          nullptr, llvm::GlobalValue::NotThreadLocal, space);
  memory->setAlignment(llvm::Align(space == shared_space ? 16 : 256));
  return memory;
}

/// The module's, as large as who needs most.
llvm::GlobalVariable* scratch_of(llvm::Module& module, uint64_t bytes) {
  llvm::GlobalVariable* before = module.getNamedGlobal(scratch_name);
  if (before && before->getValueType()->getArrayNumElements() >= bytes) return before;
  llvm::GlobalVariable* memory = create_memory(module, before ? "" : scratch_name, bytes, global_space);
  if (before) {
    before->replaceAllUsesWith(memory);
    memory->takeName(before);
    before->eraseFromParent();
  }
  return memory;
}

/// A launch of a nest, and where its scratch memory starts.
struct Part {
  NestLaunch nest;
  uint64_t scratch;
};

/// An entry point under construction.
class Entry {
 public:
  Entry(llvm::Module& module, const std::string& name, size_t buffers, uint64_t shared_bytes, uint64_t scratch_bytes)
      : function_(create_entry(module, name, static_cast<int>(buffers))), b_(module.getContext()),
        shared_(llvm::ConstantPointerNull::get(b_.getPtrTy(shared_space))),
        scratch_(llvm::ConstantPointerNull::get(b_.getPtrTy(global_space))) {
    b_.SetInsertPoint(llvm::BasicBlock::Create(b_.getContext(), "entry", function_));
    if (shared_bytes > 0) shared_ = create_memory(module, name + "_shared", shared_bytes, shared_space);
    if (scratch_bytes > 0) scratch_ = scratch_of(module, scratch_bytes);
  }

  /// Each nest by blocks of its own.
  codegen::EntryPoint share_out(std::span<const Part> parts) {
    int64_t blocks = 0;
    std::vector<int64_t> first;
    for (const Part& part : parts) first.push_back(blocks), blocks += part.nest.blocks;
    dispatch(parts, first, block_number(b_));
    return finish(blocks, parts.empty() ? joined_threads : parts[0].nest.threads);
  }

  /// One after the other by one block.
  codegen::EntryPoint run_in_order(std::span<const Part> parts) {
    for (const Part& part : parts) {
      // Also makes what every thread of the block has written visible to the others.
      if (&part != parts.data()) barrier(b_);
      call(part, b_.getInt32(0));
    }
    return finish(1, joined_threads);
  }

 private:
  void call(const Part& part, llvm::Value* block) {
    llvm::Value* scratch = b_.CreateConstGEP1_64(b_.getInt8Ty(), scratch_, part.scratch);
    b_.CreateCall(part.nest.function, {function_->getArg(0), shared_, scratch, block});
  }

  /// By halving.
  void dispatch(std::span<const Part> parts, std::span<const int64_t> first, llvm::Value* block) {
    if (parts.empty()) return;
    if (parts.size() == 1) return call(parts[0], b_.CreateSub(block, b_.getInt32(static_cast<uint32_t>(first[0]))));
    const size_t half = parts.size() / 2;
    const auto new_block = [&](const char* name) { return llvm::BasicBlock::Create(b_.getContext(), name, function_); };
    llvm::BasicBlock *low = new_block("low"), *high = new_block("high"), *end = new_block("end");
    b_.CreateCondBr(b_.CreateICmpULT(block, b_.getInt32(static_cast<uint32_t>(first[half]))), low, high);
    b_.SetInsertPoint(low);
    dispatch(parts.first(half), first.first(half), block);
    b_.CreateBr(end);
    b_.SetInsertPoint(high);
    dispatch(parts.subspan(half), first.subspan(half), block);
    b_.CreateBr(end);
    b_.SetInsertPoint(end);
  }

  codegen::EntryPoint finish(int64_t blocks, int threads) {
    b_.CreateRetVoid();
    annotate(*function_, "reqntidx", static_cast<uint32_t>(threads));
    // Else ptxas may move values out of registers so that more blocks fit a processor.
    annotate(*function_, "minctasm", 1);
    return {.name = function_->getName().str(),
            .blocks = static_cast<uint32_t>(std::max<int64_t>(blocks, 1)),
            .threads = static_cast<uint32_t>(threads)};
  }

  llvm::Function* function_;
  codegen::IRBuilder b_;
  llvm::Constant *shared_, *scratch_;
};

}  // namespace

std::vector<codegen::EntryPoint> GpuShape::emit_kernel(llvm::Module& module, const std::string& name, const ir::Op& op,
                                                       const codegen::KernelTable& table, codegen::Nests&) const {
  std::optional<NestOrder> order;
  if (codegen::is_serial(op)) order.emplace(table);
  codegen::MappingLimits limits;
  if (table.parts.size() > 1) limits.most_threads = joined_threads;
  limits.one_block = order && order->suits_one_block(table);
  std::vector<std::vector<Part>> launches(1);
  std::vector<size_t> end;  // per nest: the launch after its last
  uint64_t shared = 0, scratch = 0;
  for (size_t n = 0; n < table.parts.size(); ++n) {
    const codegen::KernelPart& part = table.parts[n];
    std::vector<bool> written(part.nest->body().inputs().size(), false);
    if (limits.one_block) written = order->written[n];
    const NestCode code = emit_nest(module, part.nest->body(), name + ".nest" + std::to_string(n), part.buffers, written, limits);
    size_t launch = 0;
    if (order && !limits.one_block)
      for (size_t other : order->before[n]) launch = std::max(launch, end[other]);
    for (const NestLaunch& l : code.launches) {
      if (launches.size() <= launch) launches.resize(launch + 1);
      launches[launch++].push_back({l, scratch});
    }
    end.push_back(launch);
    shared = std::max(shared, code.shared_bytes);
    scratch += code.scratch_bytes;
  }
  WEFT_CHECK(shared <= most_shared_bytes, "a nest takes {} bytes of shared memory", shared);
  std::vector<codegen::EntryPoint> entries;
  for (const std::vector<Part>& parts : launches) {
    Entry entry(module, entries.empty() ? name : name + "_" + std::to_string(entries.size() + 1), table.buffers.size(), shared, scratch);
    entries.push_back(limits.one_block ? entry.run_in_order(parts) : entry.share_out(parts));
  }
  return entries;
}

int pointers_of(const ir::Op& op) {
  const int pointers = static_cast<int>(codegen::buffers_of(op).size());
  if (pointers > most_buffers)
    throw Error(ErrorKind::device, "a kernel of {} operands, results and slices: a GPU takes at most {}", pointers, most_buffers)
        .at(to_string(op.locations()));
  return pointers;
}

std::vector<KernelLaunch> launches_of(const codegen::Kernel& kernel) {
  std::vector<KernelLaunch> launches;
  for (const codegen::EntryPoint& e : kernel.entries) launches.push_back({e.name, e.blocks, e.threads});
  return launches;
}

}  // namespace weft::cuda
