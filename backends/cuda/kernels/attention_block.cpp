#include "weft/backends/cuda/kernels/attention_block.h"

#include "weft/backends/cuda/thread_code.h"

namespace weft::cuda {

AttentionBlock::AttentionBlock(KernelBuilder& k, const AttentionTile& tile, llvm::Type* index, int threads_of_row)
    : k_(k), b_(k.b), tile_(tile), index_(index), thread_(k.thread()), threads_of_row_(threads_of_row) {}

Value* AttentionBlock::is_element(const Rows& x, Value* row, Value* column) {
  return b_.CreateAnd(b_.CreateICmpULT(row, number(x.count)), b_.CreateICmpULT(column, number(x.width)));
}

Value* AttentionBlock::of_neighbour(Value* x, int bits) { return shuffled(b_, x, bits); }

}  // namespace weft::cuda
