#include "weft/backends/cuda/kernels/attention_kernel.h"

#include <algorithm>
#include <limits>

#include "weft/backends/codegen/math/math.h"

namespace weft::cuda {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

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
int64_t rows_elements(const AttentionCall& call) {
  const int side = side_for(call.dtype);
  const int64_t width = call.is_gradient ? std::max(call.width, call.value_width) : call.value_width;
  return step * threads_per_side * columns_for(side, width);
}

/// Offsets, and the numbers of rows behind the last one, fit into it.
llvm::Type* index_type(llvm::LLVMContext& context, const AttentionCall& call) {
  constexpr int64_t most = std::numeric_limits<int32_t>::max() - 1024;
  const Dims bytes = call.bytes();
  const int64_t largest = std::max({*std::max_element(bytes.begin(), bytes.end()), call.queries, call.keys});
  return largest < most ? llvm::Type::getInt32Ty(context) : llvm::Type::getInt64Ty(context);
}

/// Of a thread's sums for the results.
int64_t registers(const AttentionCall& call) {
  const int side = side_for(call.dtype);
  const int64_t columns = columns_for(side, call.value_width) + (call.is_gradient ? columns_for(side, call.width) : 0);
  return side * columns * (element_bytes(call.dtype) / 4);
}
/// More registers where a thread adds up more: then a processor holds fewer threads.
uint32_t blocks_at_once(const AttentionCall& call) { return registers(call) > 32 ? 1 : 2; }

Value* offset_of(IRBuilder& b, llvm::Type* index, int64_t first, const Values& digits, const Dims& strides) {
  Value* offset = llvm::ConstantInt::get(index, static_cast<uint64_t>(first));
  for (size_t axis = 0; axis < digits.size(); ++axis)
    if (strides[axis] != 0) offset = b.CreateAdd(offset, b.CreateMul(digits[axis], codegen::integer(digits[axis], strides[axis])));
  return offset;
}

}  // namespace

bool AttentionKernel::fits(const AttentionCall& call) {
  constexpr int64_t most_shared_bytes = 48 << 10, most_registers = 128;
  const int side = side_for(call.dtype);
  const int64_t elements = 2 * products_elements(side) + numbers_elements(side) + rows_elements(call);
  const int64_t tile = side * threads_per_side;
  const auto tiles = [&](int64_t rows) { return (rows + tile - 1) / tile; };
  return elements * element_bytes(call.dtype) <= most_shared_bytes && registers(call) <= most_registers &&
         call.heads() <= most_blocks / std::max(tiles(call.queries), tiles(call.keys));
}

AttentionKernel::AttentionKernel(llvm::Module& module, const ir::Op& op, const std::string& name, const AttentionCall& call)
    : call_(call), side_(side_for(call.dtype)), k_(module, op, name, threads_per_side * threads_per_side, blocks_at_once(call)), b_(k_.b),
      type_(codegen::register_type(b_.getContext(), call.dtype)), index_(index_type(b_.getContext(), call)), thread_(k_.thread()) {
  const Values in_block = digits_of(b_, thread_, {threads_per_side, threads_per_side});
  thread_row_ = in_block[0], thread_column_ = in_block[1];
  left_ = k_.shared(type_, products_elements(side_)), right_ = k_.shared(type_, products_elements(side_));
  shared_numbers_ = k_.shared(type_, numbers_elements(side_)), shared_rows_ = k_.shared(type_, rows_elements(call));
}

int AttentionKernel::tile() const { return threads_per_side * side_; }
int AttentionKernel::run(int64_t width) const { return run_for(side_, width); }
int AttentionKernel::columns_per_thread(int64_t width) const { return static_cast<int>(columns_for(side_, width)); }

// --- Where things are -------------------------------------------------------------------------------------------------------

AttentionKernel::Tile AttentionKernel::tile_of_block(bool rows_are_keys) {
  std::vector<int64_t> extents = call_.batch;
  if (rows_are_keys && !extents.empty()) extents.back() /= call_.group;
  const int64_t rows = rows_are_keys ? call_.keys : call_.queries;
  extents.push_back((rows + tile() - 1) / tile());
  Values digits = digits_of(b_, b_.CreateZExtOrTrunc(k_.block(), index_), extents);
  Value* first_row = times(digits.back(), tile());
  digits.pop_back();
  return {digits, first_row};
}

int64_t AttentionKernel::blocks(bool rows_are_keys) const {
  const int64_t rows = rows_are_keys ? call_.keys : call_.queries;
  return call_.heads() / (rows_are_keys ? call_.group : 1) * ((rows + tile() - 1) / tile());
}

Values AttentionKernel::head_of_keys(Values head) {
  if (call_.group > 1) head.back() = b_.CreateUDiv(head.back(), number(call_.group));
  return head;
}

AttentionKernel::Rows AttentionKernel::rows_of(size_t place, int buffer, const Values& head) {
  const StridedView& view = call_.places[place];
  const size_t rank = view.extents.size();
  return {k_.buffer(buffer), offset_of(b_, index_, view.offset, head, view.strides), view.extents[rank - 2], view.extents[rank - 1],
          view.strides[rank - 2]};
}

Value* AttentionKernel::place_of_query(const Values& head, Value* query) {
  Dims shape = call_.batch;
  shape.push_back(call_.queries);
  return b_.CreateAdd(offset_of(b_, index_, 0, head, Shape(shape).strides()), query);
}

Value* AttentionKernel::number_of_query(int buffer, const Values& head, Value* query) {
  Value* exists = b_.CreateICmpULT(query, number(call_.queries));
  Value* place = b_.CreateSelect(exists, place_of_query(head, query), number(0));
  return k_.load(call_.row_dtype(), k_.buffer(buffer), place, true);
}

void AttentionKernel::store_number_of_query(int buffer, const Values& head, Value* query, Value* x) {
  Value* is_first = b_.CreateICmpEQ(thread_column_, int32(0));
  k_.when(b_.CreateAnd(is_first, b_.CreateICmpULT(query, number(call_.queries))),
          [&] { k_.store(call_.row_dtype(), k_.buffer(buffer), place_of_query(head, query), x); });
}

Value* AttentionKernel::row(size_t i) { return index(plus(times(thread_row_, side_), static_cast<int64_t>(i) / side_)); }
Value* AttentionKernel::column(size_t i) { return index(plus(times(thread_column_, side_), static_cast<int64_t>(i) % side_)); }

Value* AttentionKernel::result_column(int i, int64_t width) {
  const int length = run(width);
  return plus(times(thread_column_, length), int64_t{i} / length * length * threads_per_side + i % length);
}

// --- Through shared memory --------------------------------------------------------------------------------------------------

Value* AttentionKernel::element(const Rows& x, Value* row, Value* column) {
  Value* exists = b_.CreateAnd(b_.CreateICmpULT(row, number(x.count)), b_.CreateICmpULT(column, number(x.width)));
  Value* offset = b_.CreateAdd(x.first, b_.CreateAdd(times(row, x.distance), column));
  // The first element there is always, and without a branch all are on their way at once.
  return b_.CreateSelect(exists, k_.load(call_.dtype, x.pointer, b_.CreateSelect(exists, offset, number(0)), true), zero());
}

/// `step` columns of the tile's rows, as [column][row]: neighbours in memory are those of neighbouring threads.
void AttentionKernel::stage(const Rows& x, Value* first_row, Value* first_column, Value* to) {
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
void AttentionKernel::stage_rows(const Rows& x, Value* first_row) {
  const int columns = columns_per_thread(x.width), width = columns * threads_per_side;
  Values fetched, offsets;
  for (int i = 0; i < columns; ++i) {
    offsets.push_back(plus(thread_, int64_t{i} * threads_per_side * threads_per_side));
    const Values at = digits_of(b_, offsets.back(), {step, width});
    fetched.push_back(element(x, b_.CreateAdd(first_row, index(at[0])), index(at[1])));
  }
  for (size_t i = 0; i < fetched.size(); ++i) b_.CreateStore(fetched[i], b_.CreateGEP(type_, shared_rows_, offsets[i]));
}

Values AttentionKernel::read(Value* from, Value* offset, int count) {
  auto* vector = llvm::FixedVectorType::get(type_, static_cast<unsigned>(count));
  const auto alignment = static_cast<uint64_t>(count * element_bytes(call_.dtype));
  Value* elements = b_.CreateAlignedLoad(vector, b_.CreateGEP(type_, from, offset), llvm::Align(alignment));
  Values all;
  for (int i = 0; i < count; ++i) all.push_back(b_.CreateExtractElement(elements, static_cast<uint64_t>(i)));
  return all;
}

Values AttentionKernel::products(const Rows& a, Value* first_a, const Rows& b, Value* first_b) {
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

/// As [column][row], so that a thread reads its rows at once.
void AttentionKernel::share(const Values& numbers) {
  for (int j = 0; j < side_; ++j) {
    Value* rows = llvm::PoisonValue::get(llvm::FixedVectorType::get(type_, static_cast<unsigned>(side_)));
    for (int i = 0; i < side_; ++i)
      rows = b_.CreateInsertElement(rows, numbers[static_cast<size_t>(i * side_ + j)], static_cast<uint64_t>(i));
    Value* offset = b_.CreateAdd(times(plus(times(thread_column_, side_), j), row_distance(side_)), times(thread_row_, side_));
    b_.CreateAlignedStore(rows, b_.CreateGEP(type_, shared_numbers_, offset), llvm::Align(16));
  }
}

Values AttentionKernel::accumulated(Values sums, const Rows& x, Value* first) {
  const int columns = columns_per_thread(x.width), length = run(x.width);
  return k_.loop(int32(0), int32(tile()), int32(step), std::move(sums), [&](Value* begin, const Values& before) {
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

void AttentionKernel::store(const Rows& to, Value* first_row, const Values& sums) {
  const size_t columns = sums.size() / static_cast<size_t>(side_);
  for (size_t s = 0; s < sums.size(); ++s) {
    Value* at_row = b_.CreateAdd(first_row, row(row_of_sum(s, sums) * static_cast<size_t>(side_)));
    Value* at_column = index(result_column(static_cast<int>(s % columns), to.width));
    Value* exists = b_.CreateAnd(b_.CreateICmpULT(at_row, number(to.count)), b_.CreateICmpULT(at_column, number(to.width)));
    Value* offset = b_.CreateAdd(to.first, b_.CreateAdd(times(at_row, to.distance), at_column));
    k_.when(exists, [&] { k_.store(call_.dtype, to.pointer, offset, sums[s]); });
  }
}

// --- Scores -----------------------------------------------------------------------------------------------------------------

Value* AttentionKernel::score(Value* product, const Values& head, Value* query, Value* key) {
  Value* seen = b_.CreateAnd(b_.CreateICmpULT(query, number(call_.queries)), b_.CreateICmpULT(key, number(call_.keys)));
  if (call_.causal) seen = b_.CreateAnd(seen, b_.CreateICmpULE(key, query));
  Value* score = b_.CreateFMul(product, real(call_.scale));
  if (call_.mask != ScoreMask::none) {
    Values digits = head;
    digits.insert(digits.end(), {query, key});
    Value* offset = b_.CreateSelect(seen, offset_of(b_, index_, 0, digits, call_.mask_strides), number(0));
    const bool is_number = call_.mask == ScoreMask::number;
    Value* mask = k_.load(is_number ? call_.dtype : boolean, k_.buffer(mask_buffer()), offset, true);
    if (is_number) score = b_.CreateFAdd(score, mask);
    else seen = b_.CreateAnd(seen, mask);
  }
  return b_.CreateSelect(seen, score, real(-infinity));
}

Value* AttentionKernel::weight(Value* score, Value* lse) {
  Value* sees_none = b_.CreateFCmpOEQ(lse, real(-infinity));
  return codegen::emit_exp(b_, b_.CreateFSub(score, b_.CreateSelect(sees_none, real(infinity), lse)));
}

Value* AttentionKernel::slope(Value* weight, Value* product, Value* delta) {
  return b_.CreateFMul(b_.CreateFMul(weight, b_.CreateFSub(product, delta)), real(call_.scale));
}

Value* AttentionKernel::end_of_keys(Value* first_query) {
  if (!call_.causal) return number(call_.keys);
  Value* seen = plus(first_query, tile());
  return b_.CreateSelect(b_.CreateICmpULT(seen, number(call_.keys)), seen, number(call_.keys));
}

Value* AttentionKernel::begin_of_queries(Value* first_key) { return call_.causal ? first_key : number(0); }

}  // namespace weft::cuda
