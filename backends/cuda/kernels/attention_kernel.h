#pragma once
// What the kernels of attention share: a block of threads for each tile of a head's rows, where operands lie, and scores.

#include <memory>

#include "weft/backends/cuda/kernels/attention_block.h"
#include "weft/runtime/attention_call.h"

namespace weft::cuda {

class AttentionKernel {
 public:
  AttentionKernel(llvm::Module& module, const ir::Op& op, const std::string& name, const AttentionCall& call, const AttentionWork& work,
                  const AttentionTile& tile);

 protected:
  using Rows = AttentionBlock::Rows;

  /// Those of the place of that number, in a buffer; the head's digits are those of the place's own axes.
  Rows rows_of(size_t place, int buffer, const Values& head);
  /// The head of keys that a head of queries reads.
  Values head_of_keys(Values head);
  /// Of lse and delta: a number for each of the head's queries.
  Value* number_of_query(int buffer, const Values& head, Value* query);
  /// By one thread of the query's row.
  void store_number_of_query(int buffer, const Values& head, Value* query, Value* x);

  /// The block's head, a digit for each batch axis, and the first row of its tile.
  struct Tile {
    Values head;
    Value* first_row;
  };
  /// Where keys are the rows there is a tile for each head of keys, whose last digit counts these.
  Tile tile_of_block(bool rows_are_keys);
  KernelLaunch finish() { return k_.finish(block().tile().blocks(work_)); }

  Values zeros(const Rows& result) const { return Values(block_->sums(result.width), zero()); }

  /// scale * product + mask; -inf where the query does not see the key, or one of them is none.
  Value* score(Value* product, const Values& head, Value* query, Value* key);
  /// e^(score - lse), 0 where lse is -inf.
  Value* weight(Value* score, Value* lse);
  /// The derivative by the product of a query and a key.
  Value* slope(Value* weight, Value* product, Value* delta);
  /// How far the columns go that some of the tile's rows see: keys, of queries; and where they begin: queries, of keys.
  Value* end_of_keys(Value* first_query);
  Value* begin_of_queries(Value* first_key);

  llvm::Constant* real(double x) const { return llvm::ConstantFP::get(type_, x); }
  llvm::Constant* zero() const { return real(0); }
  llvm::Constant* number(int64_t x) const { return llvm::ConstantInt::get(index_, static_cast<uint64_t>(x)); }

  AttentionBlock& block() { return *block_; }
  llvm::Constant* columns_of_tile() const { return number(block_->tile().columns); }
  int mask_buffer() const { return call_.is_gradient ? 6 : 3; }
  int first_result() const { return mask_buffer() + (call_.mask == ScoreMask::none ? 0 : 1); }

  const AttentionCall call_;
  const AttentionWork work_;
  KernelBuilder k_;
  IRBuilder& b_;

 private:
  Value* place_of_query(const Values& head, Value* query);
  Value* plus(Value* v, int64_t n) { return b_.CreateAdd(v, codegen::integer(v, n)); }

  llvm::Type *type_, *index_;
  std::unique_ptr<AttentionBlock> block_;
};

}  // namespace weft::cuda
