#pragma once
// What the kernels of attention share. A block of 16 by 16 threads has a tile of rows (queries, or keys) and goes through the tiles of
// columns (keys, or queries). Each thread has a square of both: it adds up the products of its rows and columns, makes numbers of them
// that the block exchanges through shared memory, and adds these, times the columns' rows of another operand, to its part of a result.
// Of the numbers no more than a tile is ever there.
//
// Every sum is one chain of fma in ascending order, in f32, or in f64 where the operands are; a result is rounded to its type at the end.

#include "weft/backends/cuda/kernels/kernel_builder.h"
#include "weft/runtime/attention_call.h"

namespace weft::cuda {

class AttentionKernel {
 public:
  /// Is there a kernel for it: does what a block exchanges fit into shared memory?
  static bool fits(const AttentionCall& call);
  AttentionKernel(llvm::Module& module, const ir::Op& op, const std::string& name, const AttentionCall& call);

 protected:
  /// One head's rows of a buffer.
  struct Rows {
    Value *pointer, *first;  // the offset of the first row's first element
    int64_t count, width, distance;
  };
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
  int64_t blocks(bool rows_are_keys) const;

  /// The products of the tile's rows of a with those of b, over the width of both: side() * side() of the thread, row first.
  Values products(const Rows& a, Value* first_a, const Rows& b, Value* first_b);
  /// Row and column of number i of them, in the tile.
  Value* row(size_t i);
  Value* column(size_t i);

  /// What the block shares before it accumulates.
  void share(const Values& numbers);
  /// sums + the shared numbers times the rows of x from `first` on, one for each column; ends with all threads done.
  Values accumulated(Values sums, const Rows& x, Value* first);
  Values zeros(const Rows& result) const { return Values(static_cast<size_t>(side() * columns_per_thread(result.width)), zero()); }
  /// To which of the thread's rows such a sum belongs.
  size_t row_of_sum(size_t sum, const Values& sums) const { return sum / (sums.size() / static_cast<size_t>(side())); }
  void store(const Rows& to, Value* first_row, const Values& sums);

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
  Value* index(Value* v) { return b_.CreateZExt(v, index_); }

  /// Rows and columns of a thread in the tile, and of the tile.
  int side() const { return side_; }
  int tile() const;
  int mask_buffer() const { return call_.is_gradient ? 6 : 3; }
  int first_result() const { return mask_buffer() + (call_.mask == ScoreMask::none ? 0 : 1); }

  const AttentionCall call_;
  const int side_;
  KernelBuilder k_;
  IRBuilder& b_;

 private:
  /// Neighbours that a thread has of a row of so many elements, and all that it has.
  int run(int64_t width) const;
  int columns_per_thread(int64_t width) const;

  Value* place_of_query(const Values& head, Value* query);
  /// A thread's column number i of a row.
  Value* result_column(int i, int64_t width);

  void stage(const Rows& x, Value* first_row, Value* first_column, Value* to);
  void stage_rows(const Rows& x, Value* first_row);
  Values read(Value* from, Value* offset, int count);
  /// 0 where there is none.
  Value* element(const Rows& x, Value* row, Value* column);
  Value* int32(int64_t x) { return b_.getInt32(static_cast<uint32_t>(x)); }
  Value* plus(Value* v, int64_t n) { return b_.CreateAdd(v, codegen::integer(v, n)); }
  Value* times(Value* v, int64_t n) { return b_.CreateMul(v, codegen::integer(v, n)); }

  llvm::Type *type_, *index_;
  Value *thread_, *thread_row_, *thread_column_;
  Value *left_, *right_, *shared_numbers_, *shared_rows_;
};

}  // namespace weft::cuda
