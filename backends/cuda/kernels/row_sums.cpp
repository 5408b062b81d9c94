#include "weft/backends/cuda/kernels/indexing.h"
#include "weft/backends/cuda/kernels/rows.h"
#include "weft/ir/op_def.h"
#include "weft/support/reduction_order.h"

namespace weft::cuda {
namespace {

constexpr int64_t chain = reduction_chain;

Value* constant(IRBuilder& b, int64_t value) { return b.getInt64(static_cast<uint64_t>(value)); }

/// The places of an index in the order of what stands there, equal ones in their own order: places, then indices.
int64_t sorted_bytes(int64_t count) { return 2 * count * static_cast<int64_t>(sizeof(int64_t)); }

/// Sorts into the scratch memory, which is the table's last buffer: a thread for each place counts the places before it.
KernelLaunch emit_sort(llvm::Module& module, const ir::Op& op, const std::string& name, int index_buffer, int64_t count) {
  WEFT_CHECK(op.result_count() == 2, "{} has no memory to sort in", op.name());
  KernelBuilder k(module, op, name);
  IRBuilder& b = k.b;
  Value *index = k.buffer(index_buffer), *scratch = k.buffer(static_cast<int>(op.operands().size()) + 1);
  Value *end = constant(b, count), *place = k.grid_thread(), *thread = b.CreateZExt(k.thread(), b.getInt64Ty());
  Value* is_place = b.CreateICmpULT(place, end);
  const auto element = [&](Value* at) { return k.load(i64, index, b.CreateSelect(b.CreateICmpULT(at, end), at, constant(b, 0)), true); };
  Value *mine = element(place), *tile = k.shared(b.getInt64Ty(), block_threads);
  const Values rank = k.loop(constant(b, 0), end, constant(b, block_threads), {constant(b, 0)}, [&](Value* first, const Values& before) {
    b.CreateStore(element(b.CreateAdd(first, thread)), b.CreateGEP(b.getInt64Ty(), tile, thread));
    k.barrier();
    Value *left = b.CreateSub(end, first), *full = constant(b, block_threads);
    Values all = k.loop(constant(b, 0), b.CreateSelect(b.CreateICmpULT(left, full), left, full), constant(b, 1), before,
                        [&](Value* i, const Values& sum) -> Values {
                          Value* other = b.CreateLoad(b.getInt64Ty(), b.CreateGEP(b.getInt64Ty(), tile, i));
                          Value* stands_before = b.CreateAnd(b.CreateICmpEQ(other, mine), b.CreateICmpULT(b.CreateAdd(first, i), place));
                          Value* counts = b.CreateOr(b.CreateICmpSLT(other, mine), stands_before);
                          return {b.CreateAdd(sum[0], b.CreateZExt(counts, b.getInt64Ty()))};
                        });
    k.barrier();
    return all;
  });
  k.when(is_place, [&] {
    k.store(i64, scratch, rank[0], place);
    k.store(i64, scratch, b.CreateAdd(rank[0], end), mine);
  });
  return k.finish(blocks_for(count));
}

/// A kernel with a thread for each element of [outer, places as sorted, inner].
class RowSums {
 public:
  RowSums(llvm::Module& module, const ir::Op& op, const std::string& name, const Rows& rows, int rows_buffer)
      : rows_(rows), k_(module, op, name), b_(k_.b), type_(codegen::register_type(b_.getContext(), rows.dtype)),
        memory_(k_.buffer(rows_buffer)), result_(k_.buffer(static_cast<int>(op.operands().size()))),
        order_(k_.buffer(static_cast<int>(op.operands().size()) + 1)), end_(constant(b_, rows.count)) {
    const Values at = digits_of(b_, k_.grid_thread(), {rows.outer, rows.count, rows.inner});
    outer_ = at[0], position_ = at[1], column_ = at[2];
  }

  /// Adds its rows' sum to each row of the result.
  KernelLaunch add() {
    when_first([&] {
      Value* exists = b_.CreateICmpULT(index_, constant(b_, rows_.extent));
      k_.when(exists, [&] {
        Value* sum = sum_from(position_);
        Value* at = b_.CreateAdd(
            b_.CreateMul(b_.CreateAdd(b_.CreateMul(outer_, constant(b_, rows_.extent)), index_), constant(b_, rows_.inner)), column_);
        k_.store(rows_.dtype, result_, at, added(k_.load(rows_.dtype, result_, at), sum));
      });
    });
    return finish();
  }

  /// Puts the sum of each index's rows in the place of all of them; a row alone stays as it is.
  KernelLaunch put() {
    when_first([&] {
      Value *at = row_element(place(position_)), *second = b_.CreateAdd(position_, constant(b_, 1));
      llvm::Type* raw = codegen::memory_type(b_.getContext(), rows_.dtype);
      Value* alone = b_.CreateAlignedLoad(raw, b_.CreateGEP(raw, memory_, at), codegen::alignment_of(rows_.dtype));
      Value* sum = codegen::rounded(b_, rows_.dtype, added(codegen::from_memory(b_, rows_.dtype, alone), sum_from(second)));
      Value* value = b_.CreateSelect(is_same(second), codegen::to_memory(b_, rows_.dtype, sum), alone);
      k_.repeat(
          {position_}, [&](const Values& v) { return is_same(v[0]); },
          [&](const Values& v) -> Values {
            b_.CreateAlignedStore(value, b_.CreateGEP(raw, result_, row_element(place(v[0]))), codegen::alignment_of(rows_.dtype));
            return {b_.CreateAdd(v[0], constant(b_, 1))};
          });
    });
    return finish();
  }

 private:
  KernelLaunch finish() { return k_.finish(blocks_for(rows_.outer * rows_.count * rows_.inner)); }

  Value* place(Value* position) { return k_.load(i64, order_, position, true); }
  Value* sorted_index(Value* position) { return k_.load(i64, order_, b_.CreateAdd(position, end_), true); }
  Value* row_element(Value* place) {
    Value* row = b_.CreateAdd(b_.CreateMul(outer_, end_), place);
    return b_.CreateAdd(b_.CreateMul(row, constant(b_, rows_.inner)), column_);
  }
  Value* added(Value* a, Value* c) { return type_->isFloatingPointTy() ? b_.CreateFAdd(a, c) : b_.CreateAdd(a, c); }
  /// Is there a place at that position, and is its index the thread's?
  Value* is_same(Value* position) {
    Value* is_there = b_.CreateICmpULT(position, end_);
    Value* other = sorted_index(b_.CreateSelect(is_there, position, position_));
    return b_.CreateAnd(is_there, b_.CreateICmpEQ(other, index_));
  }

  /// Of the threads that stand at an index's places, only the first goes on.
  void when_first(const std::function<void()>& body) {
    k_.when(b_.CreateICmpULT(outer_, constant(b_, rows_.outer)), [&] {
      index_ = sorted_index(position_);
      Value* begins = b_.CreateICmpEQ(position_, constant(b_, 0));
      Value* before = sorted_index(b_.CreateSelect(begins, position_, b_.CreateSub(position_, constant(b_, 1))));
      k_.when(b_.CreateOr(begins, b_.CreateICmpNE(before, index_)), body);
    });
  }

  /// Of the index's rows from a position on, as support/reduction_order.h says of one lane. What a piece reads is on its way at once.
  Value* sum_from(Value* position) {
    size_t levels = 1;
    for (int64_t most = chain * chain; most <= rows_.count; most *= chain) ++levels;
    Values carried{position, constant(b_, 0)};
    carried.resize(2 + levels, llvm::Constant::getNullValue(type_));
    carried = k_.repeat(
        carried, [&](const Values& v) { return is_same(v[0]); },
        [&](const Values& v) -> Values {
          Values next = v;
          next[0] = b_.CreateAdd(v[0], constant(b_, chain)), next[1] = b_.CreateAdd(v[1], constant(b_, 1));
          next[2] = added(v[2], piece_from(v[0]));
          int64_t group = chain;
          for (size_t level = 2; level + 1 < next.size(); ++level, group *= chain) {
            Value* is_whole = b_.CreateICmpEQ(b_.CreateAnd(next[1], constant(b_, group - 1)), constant(b_, 0));
            next[level + 1] = b_.CreateSelect(is_whole, added(next[level + 1], next[level]), next[level + 1]);
            next[level] = b_.CreateSelect(is_whole, llvm::Constant::getNullValue(type_), next[level]);
          }
          return next;
        });
    for (size_t level = 2; level + 1 < carried.size(); ++level) carried[level + 1] = added(carried[level + 1], carried[level]);
    return carried.back();
  }

  Value* piece_from(Value* position) {
    Values taken, elements;
    for (int64_t i = 0; i < chain; ++i) {
      Value* at = b_.CreateAdd(position, constant(b_, i));
      taken.push_back(is_same(at));
      Value* there = place(b_.CreateSelect(taken.back(), at, position_));
      elements.push_back(k_.load(rows_.dtype, memory_, row_element(there), true));
    }
    Value* sum = llvm::Constant::getNullValue(type_);
    for (size_t i = 0; i < elements.size(); ++i) sum = b_.CreateSelect(taken[i], added(sum, elements[i]), sum);
    return sum;
  }

  Rows rows_;
  KernelBuilder k_;
  IRBuilder& b_;
  llvm::Type* type_;
  Value *memory_, *result_, *order_, *end_;
  Value *outer_ = nullptr, *position_ = nullptr, *column_ = nullptr, *index_ = nullptr;
};

}  // namespace

int64_t scatter_add_scratch_bytes(const ir::Op& op) { return sorted_bytes(op.operand(1).shape().numel()); }
int64_t coalesce_scratch_bytes(const ir::Op& op) { return sorted_bytes(op.operand(0).shape().numel()); }

std::vector<KernelLaunch> emit_scatter_add(llvm::Module& module, const ir::Op& op, const std::string& name) {
  if (op.result().shape().numel() == 0) return {};
  const Rows rows = Rows::of(op);
  std::vector<KernelLaunch> launches{emit_copy(module, op, name + "_copy", 0, 3, op.result().type().bytes())};
  if (rows.count == 0) return launches;
  launches.push_back(emit_sort(module, op, name + "_sort", 1, rows.count));
  launches.push_back(RowSums(module, op, name, rows, 2).add());
  return launches;
}

std::vector<KernelLaunch> emit_coalesce(llvm::Module& module, const ir::Op& op, const std::string& name) {
  const Shape &index = op.operand(0).shape(), &elements = op.operand(1).shape();
  if (elements.numel() == 0) return {};
  const Rows rows{.dtype = op.result().dtype(), .count = index.numel(), .inner = elements.numel() / index.numel()};
  return {emit_sort(module, op, name + "_sort", 0, rows.count), RowSums(module, op, name, rows, 1).put()};
}

}  // namespace weft::cuda
