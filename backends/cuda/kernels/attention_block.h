#pragma once
// What a block of threads does in a kernel of attention. It keeps a tile's rows (queries, or keys), and goes through the tiles' columns
// (keys, or queries): it multiplies rows and columns, makes numbers of the products, and adds these, times the columns' rows of another
// operand, to its results. Of the numbers no more than a tile is ever there.

#include <memory>
#include <optional>

#include "weft/backends/cuda/kernels/kernel_builder.h"
#include "weft/support/shape.h"

namespace weft::cuda {

/// What one kernel has to do.
struct AttentionWork {
  DType dtype;
  int64_t heads, rows, columns;
  Dims row_widths, column_widths;  // of the operands that have these rows, and of those that have these columns
  Dims sum_widths;                 // of the results
};

/// How it is cut.
struct AttentionTile {
  int rows, columns;
  uint32_t threads, blocks_at_once;  // of a block; of which a processor is to hold so many
  bool matrix_units = false;
  bool by_turns = false;  // operands that have the columns are in shared memory one after the other, in place of all at once
  int64_t blocks(const AttentionWork& work) const { return work.heads * ((work.rows + rows - 1) / rows); }
};

class AttentionBlock {
 public:
  /// One head's rows of a buffer.
  struct Rows {
    Value *pointer, *first;  // the offset of the first row's first element
    int64_t count, width, distance;
    int together;  // so many elements from a row's start on, and from there on again, lie at multiples of their bytes
  };

  /// `index`: the type of offsets and of numbers of rows.
  AttentionBlock(KernelBuilder& k, const AttentionTile& tile, llvm::Type* index, int threads_of_row);
  virtual ~AttentionBlock() = default;

  const AttentionTile& tile() const { return tile_; }

  /// Those rows are asked for in every tile, so that they may stay in shared memory.
  virtual void keep(const Rows& rows, Value* first) = 0;
  /// Those of the columns of a new tile.
  virtual void begin_columns(const std::vector<const Rows*>& columns, Value* first) = 0;

  /// A number for each product of a tile's row of a and one of b, over the width of both: those of the thread.
  virtual Values products(const Rows& a, Value* first_a, const Rows& b, Value* first_b) = 0;
  /// sums + the numbers times the rows of x from `first` on, one for each column.
  virtual Values accumulated(Values sums, const Values& numbers, const Rows& x, Value* first) = 0;
  /// How many sums a thread has of results of that width.
  virtual size_t sums(int64_t width) const = 0;
  virtual void store(const Rows& to, Value* first_row, const Values& sums) = 0;

  /// A thread's numbers and sums are those of some rows: which of them a number or a sum is of, and where that one stands in the tile.
  virtual size_t thread_rows() const = 0;
  virtual size_t row_of_number(size_t number) const = 0;
  virtual size_t row_of_sum(size_t sum, size_t sums) const = 0;
  virtual Value* row(size_t thread_row) = 0;
  virtual Value* column(size_t number) = 0;

  /// Of the threads that have the same rows, which are neighbours; each gets the same bits.
  template <class Combine>
  Value* over_columns(Value* x, Combine combine) {
    for (int bits = 1; bits < threads_of_row_; bits *= 2) x = combine(x, of_neighbour(x, bits));
    return x;
  }
  Value* is_first_of_row() { return b_.CreateICmpEQ(b_.CreateAnd(thread_, int32(threads_of_row_ - 1)), int32(0)); }

 protected:
  /// Does it exist?
  Value* is_element(const Rows& x, Value* row, Value* column);
  Value* offset_of(const Rows& x, Value* row, Value* column) { return b_.CreateAdd(x.first, b_.CreateAdd(times(row, x.distance), column)); }

  llvm::Constant* number(int64_t x) const { return llvm::ConstantInt::get(index_, static_cast<uint64_t>(x)); }
  Value* index(Value* v) { return b_.CreateZExt(v, index_); }
  Value* int32(int64_t x) { return b_.getInt32(static_cast<uint32_t>(x)); }
  Value* plus(Value* v, int64_t n) { return b_.CreateAdd(v, codegen::integer(v, n)); }
  Value* times(Value* v, int64_t n) { return b_.CreateMul(v, codegen::integer(v, n)); }

  KernelBuilder& k_;
  IRBuilder& b_;
  const AttentionTile tile_;
  llvm::Type* index_;
  Value* thread_;

 private:
  Value* of_neighbour(Value* x, int bits);

  int threads_of_row_;
};

// Each thread multiplies what its part of a tile needs: 16 by 16 threads with a square of numbers each. Every sum is one chain of fma in
// ascending order, in f32, or in f64 where the operands are.
/// Nothing: there is no room for it.
std::optional<AttentionTile> threads_tile(const AttentionWork& work);
std::unique_ptr<AttentionBlock> threads_block(KernelBuilder& k, const AttentionTile& tile, const AttentionWork& work, llvm::Type* index);

// The matrix units of sm_80 and newer do, of bf16 and f16: each warp has 16 rows and all columns. Products are added 16 at a time, in
// f32; the numbers are rounded to the operands' type before they are factors.
/// Nothing: there is no room for it, or it is of another type.
std::optional<AttentionTile> matrix_units_tile(const AttentionWork& work);
std::unique_ptr<AttentionBlock> matrix_units_block(KernelBuilder& k, const AttentionTile& tile, const AttentionWork& work,
                                                   llvm::Type* index);

}  // namespace weft::cuda
