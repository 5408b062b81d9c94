// Attention by threads: of the operands, some columns of a tile's rows at a time come into shared memory, and the numbers are exchanged
// through it.

#include <algorithm>
#include <numeric>

#include "weft/backends/codegen/math/math.h"
#include "weft/backends/cuda/kernels/attention_block.h"

namespace weft::cuda {
namespace {

constexpr int threads_per_side = 16;
/// How far one step goes along the products' width, and along the columns' rows.
constexpr int step = 16;

int element_bytes(DType dtype) { return static_cast<int>(size_of(computed_in(dtype))); }
/// A thread reads 16 bytes at once.
int side_for(DType dtype) { return 16 / element_bytes(dtype); }

int run_for(int side, int64_t width) {
  int run = 1;
  while (run < side && int64_t{run} * threads_per_side < width) run *= 2;
  return run;
}
int64_t columns_for(int side, int64_t width) {
  const int64_t run = run_for(side, width), at_once = run * threads_per_side;
  return (width + at_once - 1) / at_once * run;
}

/// Of the two-dimensional arrays in shared memory: rows begin in different banks, at multiples of 16 bytes.
int row_distance(int side) { return side * threads_per_side + side; }

int64_t products_elements(int side) { return int64_t{step} * row_distance(side); }
int64_t numbers_elements(int side) { return int64_t{side} * threads_per_side * row_distance(side); }
int64_t rows_elements(const AttentionWork& work) {
  const int64_t width = *std::max_element(work.sum_widths.begin(), work.sum_widths.end());
  return step * threads_per_side * columns_for(side_for(work.dtype), width);
}

/// Of a thread's sums for the results.
int64_t registers(const AttentionWork& work) {
  const int side = side_for(work.dtype);
  const int64_t columns = std::accumulate(work.sum_widths.begin(), work.sum_widths.end(), int64_t{0},
                                          [&](int64_t sum, int64_t width) { return sum + columns_for(side, width); });
  return side * columns * (element_bytes(work.dtype) / 4);
}

class ThreadsBlock final : public AttentionBlock {
 public:
  ThreadsBlock(KernelBuilder& k, const AttentionTile& tile, const AttentionWork& work, llvm::Type* index)
      : AttentionBlock(k, tile, index, threads_per_side), dtype_(work.dtype), side_(side_for(dtype_)),
        type_(codegen::register_type(b_.getContext(), dtype_)) {
    const Values in_block = digits_of(b_, thread_, {threads_per_side, threads_per_side});
    thread_row_ = in_block[0], thread_column_ = in_block[1];
    left_ = k_.shared(type_, products_elements(side_)), right_ = k_.shared(type_, products_elements(side_));
    shared_numbers_ = k_.shared(type_, numbers_elements(side_)), shared_rows_ = k_.shared(type_, rows_elements(work));
  }

  void keep(const Rows&, Value*) override {}
  void begin_columns(const std::vector<const Rows*>&, Value*) override {}

  Values products(const Rows& a, Value* first_a, const Rows& b, Value* first_b) override {
    const Values none(static_cast<size_t>(side_ * side_), zero());
    return k_.loop(number(0), number(a.width), number(step), none, [&](Value* first_column, const Values& before) {
      Values sums = before;
      stage(a, first_a, first_column, left_), stage(b, first_b, first_column, right_);
      k_.barrier();
      for (int i = 0; i < step; ++i) {
        const int64_t row_of_step = int64_t{i} * row_distance(side_);
        const Values x = read(left_, plus(times(thread_row_, side_), row_of_step), side_),
                     y = read(right_, plus(times(thread_column_, side_), row_of_step), side_);
        for (size_t s = 0; s < sums.size(); ++s) sums[s] = codegen::emit_fma(b_, x[s / y.size()], y[s % y.size()], sums[s]);
      }
      k_.barrier();
      return sums;
    });
  }

  Values accumulated(Values sums, const Values& numbers, const Rows& x, Value* first) override {
    share(numbers);
    const int columns = columns_per_thread(x.width), length = run(x.width);
    return k_.loop(int32(0), int32(tile_.columns), int32(step), std::move(sums), [&](Value* begin, const Values& before) {
      Values all = before;
      stage_rows(x, b_.CreateAdd(first, index(begin)));
      k_.barrier();
      for (int i = 0; i < step; ++i) {
        Value* of_numbers = b_.CreateAdd(times(plus(begin, i), row_distance(side_)), times(thread_row_, side_));
        const Values factors = read(shared_numbers_, of_numbers, side_);
        Values row;
        for (int c = 0; c < columns; c += length) {
          Value* offset = plus(result_column(c, x.width), int64_t{i} * columns * threads_per_side);
          for (Value* v : read(shared_rows_, offset, length)) row.push_back(v);
        }
        for (size_t s = 0; s < all.size(); ++s) all[s] = codegen::emit_fma(b_, factors[s / row.size()], row[s % row.size()], all[s]);
      }
      k_.barrier();
      return all;
    });
  }

  size_t sums(int64_t width) const override { return static_cast<size_t>(side_ * columns_per_thread(width)); }

  void store(const Rows& to, Value* first_row, const Values& sums) override {
    const size_t columns = sums.size() / thread_rows();
    for (size_t s = 0; s < sums.size(); ++s) {
      Value* at_row = b_.CreateAdd(first_row, row(row_of_sum(s, sums.size())));
      Value* at_column = index(result_column(static_cast<int>(s % columns), to.width));
      k_.when(is_element(to, at_row, at_column), [&] { k_.store(dtype_, to.pointer, offset_of(to, at_row, at_column), sums[s]); });
    }
  }

  size_t thread_rows() const override { return static_cast<size_t>(side_); }
  size_t row_of_number(size_t number) const override { return number / thread_rows(); }
  size_t row_of_sum(size_t sum, size_t sums) const override { return sum / (sums / thread_rows()); }
  Value* row(size_t thread_row) override { return index(plus(times(thread_row_, side_), static_cast<int64_t>(thread_row))); }
  Value* column(size_t number) override { return index(plus(times(thread_column_, side_), static_cast<int64_t>(number) % side_)); }

 private:
  llvm::Constant* zero() const { return llvm::ConstantFP::get(type_, 0); }

  /// Neighbours that a thread has of a row of so many elements, and all that it has.
  int run(int64_t width) const { return run_for(side_, width); }
  int columns_per_thread(int64_t width) const { return static_cast<int>(columns_for(side_, width)); }

  /// A thread's column number i of a row.
  Value* result_column(int i, int64_t width) {
    const int length = run(width);
    return plus(times(thread_column_, length), int64_t{i} / length * length * threads_per_side + i % length);
  }

  /// 0 where there is none.
  Value* element(const Rows& x, Value* row, Value* column) {
    Value* exists = is_element(x, row, column);
    // The first element there is always, and without a branch all are on their way at once.
    Value* offset = b_.CreateSelect(exists, offset_of(x, row, column), number(0));
    return b_.CreateSelect(exists, k_.load(dtype_, x.pointer, offset, true), zero());
  }

  /// `step` columns of the tile's rows, as [column][row]: neighbours in memory are those of neighbouring threads.
  void stage(const Rows& x, Value* first_row, Value* first_column, Value* to) {
    Values fetched;
    for (int i = 0; i < side_; ++i) {
      Value* in_tile = index(plus(thread_row_, int64_t{i} * threads_per_side));
      fetched.push_back(element(x, b_.CreateAdd(first_row, in_tile), b_.CreateAdd(first_column, index(thread_column_))));
    }
    for (int i = 0; i < side_; ++i) {
      Value* in_tile = plus(thread_row_, int64_t{i} * threads_per_side);
      Value* offset = b_.CreateAdd(times(thread_column_, row_distance(side_)), in_tile);
      b_.CreateStore(fetched[static_cast<size_t>(i)], b_.CreateGEP(type_, to, offset));
    }
  }

  /// `step` whole rows.
  void stage_rows(const Rows& x, Value* first_row) {
    const int columns = columns_per_thread(x.width), width = columns * threads_per_side;
    Values fetched, offsets;
    for (int i = 0; i < columns; ++i) {
      offsets.push_back(plus(thread_, int64_t{i} * threads_per_side * threads_per_side));
      const Values at = digits_of(b_, offsets.back(), {step, width});
      fetched.push_back(element(x, b_.CreateAdd(first_row, index(at[0])), index(at[1])));
    }
    for (size_t i = 0; i < fetched.size(); ++i) b_.CreateStore(fetched[i], b_.CreateGEP(type_, shared_rows_, offsets[i]));
  }

  Values read(Value* from, Value* offset, int count) {
    auto* vector = llvm::FixedVectorType::get(type_, static_cast<unsigned>(count));
    const auto alignment = static_cast<uint64_t>(count * element_bytes(dtype_));
    Value* elements = b_.CreateAlignedLoad(vector, b_.CreateGEP(type_, from, offset), llvm::Align(alignment));
    Values all;
    for (int i = 0; i < count; ++i) all.push_back(b_.CreateExtractElement(elements, static_cast<uint64_t>(i)));
    return all;
  }

  /// As [column][row], so that a thread reads its rows at once.
  void share(const Values& numbers) {
    for (int j = 0; j < side_; ++j) {
      Value* rows = llvm::PoisonValue::get(llvm::FixedVectorType::get(type_, static_cast<unsigned>(side_)));
      for (int i = 0; i < side_; ++i)
        rows = b_.CreateInsertElement(rows, numbers[static_cast<size_t>(i * side_ + j)], static_cast<uint64_t>(i));
      Value* offset = b_.CreateAdd(times(plus(times(thread_column_, side_), j), row_distance(side_)), times(thread_row_, side_));
      b_.CreateAlignedStore(rows, b_.CreateGEP(type_, shared_numbers_, offset), llvm::Align(16));
    }
  }

  DType dtype_;
  const int side_;
  llvm::Type* type_;
  Value *thread_row_, *thread_column_;
  Value *left_, *right_, *shared_numbers_, *shared_rows_;
};

}  // namespace

std::optional<AttentionTile> threads_tile(const AttentionWork& work) {
  constexpr int64_t most_shared_bytes = 48 << 10, most_registers = 128;
  const int side = side_for(work.dtype);
  const int64_t elements = 2 * products_elements(side) + numbers_elements(side) + rows_elements(work);
  if (elements * element_bytes(work.dtype) > most_shared_bytes || registers(work) > most_registers) return {};
  // More registers where a thread adds up more: then a processor holds fewer threads.
  const uint32_t blocks_at_once = registers(work) > 32 ? 1 : 2;
  const int extent = side * threads_per_side;
  return AttentionTile{extent, extent, threads_per_side * threads_per_side, blocks_at_once};
}

std::unique_ptr<AttentionBlock> threads_block(KernelBuilder& k, const AttentionTile& tile, const AttentionWork& work, llvm::Type* index) {
  return std::make_unique<ThreadsBlock>(k, tile, work, index);
}

}  // namespace weft::cuda
