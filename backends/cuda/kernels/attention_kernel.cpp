#include "weft/backends/cuda/kernels/attention_kernel.h"

#include <algorithm>
#include <limits>

#include "weft/backends/codegen/math/math.h"

namespace weft::cuda {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// Offsets, and the numbers of rows behind the last one, fit into it.
llvm::Type* index_type(llvm::LLVMContext& context, const AttentionCall& call) {
  constexpr int64_t most = std::numeric_limits<int32_t>::max() - 1024;
  const Dims bytes = call.bytes();
  const int64_t largest = std::max({*std::max_element(bytes.begin(), bytes.end()), call.queries, call.keys});
  return largest < most ? llvm::Type::getInt32Ty(context) : llvm::Type::getInt64Ty(context);
}

Value* offset_of(IRBuilder& b, llvm::Type* index, int64_t first, const Values& digits, const Dims& strides) {
  Value* offset = llvm::ConstantInt::get(index, static_cast<uint64_t>(first));
  for (size_t axis = 0; axis < digits.size(); ++axis)
    if (strides[axis] != 0) offset = b.CreateAdd(offset, b.CreateMul(digits[axis], codegen::integer(digits[axis], strides[axis])));
  return offset;
}

/// Buffers begin at multiples of more than 16 bytes.
int together_in(const StridedView& view) {
  int64_t all = view.offset | view.extents.back() | 8;
  for (size_t axis = 0; axis + 1 < view.extents.size(); ++axis)
    if (view.extents[axis] > 1) all |= view.strides[axis];
  return static_cast<int>(all & -all);  // the lowest bit
}

}  // namespace

AttentionKernel::AttentionKernel(llvm::Module& module, const ir::Op& op, const std::string& name, const AttentionCall& call,
                                 const AttentionWork& work, const AttentionTile& tile)
    : call_(call), work_(work), k_(module, op, name, tile.threads, tile.blocks_at_once), b_(k_.b),
      type_(codegen::register_type(b_.getContext(), call.dtype)), index_(index_type(b_.getContext(), call)),
      block_((tile.matrix_units ? matrix_units_block : threads_block)(k_, tile, work_, index_)) {}

// --- Where things are -------------------------------------------------------------------------------------------------------

AttentionKernel::Tile AttentionKernel::tile_of_block(bool rows_are_keys) {
  std::vector<int64_t> extents = call_.batch;
  if (rows_are_keys && !extents.empty()) extents.back() /= call_.group;
  const int rows = block().tile().rows;
  extents.push_back((work_.rows + rows - 1) / rows);
  Values digits = digits_of(b_, b_.CreateZExtOrTrunc(k_.block(), index_), extents);
  Value* first_row = b_.CreateMul(digits.back(), number(rows));
  digits.pop_back();
  return {digits, first_row};
}

Values AttentionKernel::head_of_keys(Values head) {
  if (call_.group > 1) head.back() = b_.CreateUDiv(head.back(), number(call_.group));
  return head;
}

AttentionKernel::Rows AttentionKernel::rows_of(size_t place, int buffer, const Values& head) {
  const StridedView& view = call_.places[place];
  const size_t rank = view.extents.size();
  return {k_.buffer(buffer),      offset_of(b_, index_, view.offset, head, view.strides),
          view.extents[rank - 2], view.extents[rank - 1],
          view.strides[rank - 2], together_in(view)};
}

Value* AttentionKernel::place_of_query(const Values& head, Value* query) {
  Dims shape = call_.batch;
  shape.push_back(call_.queries);
  return b_.CreateAdd(offset_of(b_, index_, 0, head, Shape(shape).strides()), query);
}

/// Of a query that there is not, 0: nothing of another one's, which may be nan.
Value* AttentionKernel::number_of_query(int buffer, const Values& head, Value* query) {
  Value* exists = b_.CreateICmpULT(query, number(call_.queries));
  Value* place = b_.CreateSelect(exists, place_of_query(head, query), number(0));
  return b_.CreateSelect(exists, k_.load(call_.row_dtype(), k_.buffer(buffer), place, true), zero());
}

void AttentionKernel::store_number_of_query(int buffer, const Values& head, Value* query, Value* x) {
  k_.when(b_.CreateAnd(block().is_first_of_row(), b_.CreateICmpULT(query, number(call_.queries))),
          [&] { k_.store(call_.row_dtype(), k_.buffer(buffer), place_of_query(head, query), x); });
}

// --- Scores -----------------------------------------------------------------------------------------------------------------

Value* AttentionKernel::score(Value* product, const Values& head, Value* query, Value* key) {
  // Where tiles are whole, all that a block has is there: its rows and columns begin at multiples of a tile's columns, and as many rows
  // are some times as many columns.
  const auto is_there = [&](Value* v, int64_t extent) -> Value* {
    return extent % block().tile().rows == 0 ? b_.getTrue() : b_.CreateICmpULT(v, number(extent));
  };
  Value* seen = b_.CreateAnd(is_there(query, call_.queries), is_there(key, call_.keys));
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
  Value* seen = plus(first_query, block().tile().rows);
  return b_.CreateSelect(b_.CreateICmpULT(seen, number(call_.keys)), seen, number(call_.keys));
}

Value* AttentionKernel::begin_of_queries(Value* first_key) { return call_.causal ? first_key : number(0); }

}  // namespace weft::cuda
