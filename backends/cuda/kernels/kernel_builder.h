#pragma once
// What the kernels of heavy ops are written with: threads, loops that carry values, shared memory, barriers.

#include <llvm/IR/IRBuilder.h>

#include <functional>
#include <string>
#include <vector>

#include "weft/backends/codegen/types.h"
#include "weft/backends/cuda/entry.h"
#include "weft/backends/cuda/kernel_launch.h"
#include "weft/ir/graph.h"

namespace weft::cuda {

using codegen::IRBuilder;
using llvm::Value;
using Values = std::vector<Value*>;

/// Threads of a block of most kernels.
inline constexpr uint32_t block_threads = 256;
/// Blocks of that size for so many threads.
inline int64_t blocks_for(int64_t threads) { return (threads + block_threads - 1) / block_threads; }

/// One entry point, whose code is emitted where `b` stands.
class KernelBuilder {
 public:
  /// Its table holds the op's operands, then its results. It is launched with exactly so many threads a block, of which a processor is
  /// to hold so many.
  KernelBuilder(llvm::Module& module, const ir::Op& op, const std::string& name, uint32_t threads = block_threads,
                uint32_t blocks_at_once = 2);

  /// i32.
  Value* thread();
  Value* block();
  /// The number of the thread in the grid, i64.
  Value* grid_thread();

  /// The pointer of that number in the table.
  Value* buffer(int number);
  /// An element in memory, as it lies there. `constant`: nothing writes to the memory while the kernel runs.
  Value* load_bits(DType dtype, Value* pointer, Value* offset, bool constant = false);
  /// As a register.
  Value* load(DType dtype, Value* pointer, Value* offset, bool constant = false);
  /// Rounds to the element's type.
  void store(DType dtype, Value* pointer, Value* offset, Value* value);

  /// So many elements of shared memory, at a multiple of 16 bytes.
  Value* shared(llvm::Type* element, int64_t count);
  /// All threads of the block wait for each other, and see what each has written.
  void barrier();

  void when(Value* condition, const std::function<void()>& body);
  /// `for (i = begin; i < end; i += step) carried = body(i, carried)`, unsigned; gives `carried`.
  Values loop(Value* begin, Value* end, Value* step, Values carried, const std::function<Values(Value*, const Values&)>& body);
  /// `while (condition(carried)) carried = body(carried)`; gives `carried`.
  Values repeat(Values carried, const std::function<Value*(const Values&)>& condition, const std::function<Values(const Values&)>& body);

  /// Ends the code.
  KernelLaunch finish(int64_t blocks);

  IRBuilder b;

 private:
  llvm::Function* function_;
  KernelLaunch launch_;
};

/// Digits of a number, the last counting fastest: those of a row-major index into these extents. The first is not reduced.
Values digits_of(IRBuilder& b, Value* number, const std::vector<int64_t>& extents);

}  // namespace weft::cuda
