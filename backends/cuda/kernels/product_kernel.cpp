#include "weft/backends/cuda/kernels/product_kernel.h"

#include <algorithm>
#include <limits>

namespace weft::cuda {
namespace {

int64_t tiles(int64_t extent, int64_t tile) { return (extent + tile - 1) / tile; }

/// Numbers of the matrices, those of the last tiles' padding too, and offsets fit into it.
llvm::Type* index_type(llvm::LLVMContext& context, const Product& p) {
  constexpr int64_t most = std::numeric_limits<int32_t>::max() - 1024;
  return std::max({p.most_elements, p.m, p.n, p.k}) < most ? llvm::Type::getInt32Ty(context) : llvm::Type::getInt64Ty(context);
}

}  // namespace

ProductKernel::ProductKernel(llvm::Module& module, const ir::Op& op, const std::string& name, const Product& product,
                             const ProductTile& tile)
    : p_(product), tile_(tile), k_(module, op, name, static_cast<uint32_t>(tile.threads()), tile.thread_m * tile.thread_n > 16 ? 1 : 2),
      b_(k_.b), type_(codegen::register_type(b_.getContext(), p_.dtype)), left_{p_.left, true, tile.m, p_.m, tile.thread_m},
      right_{p_.right, false, tile.n, p_.n, tile.thread_n}, index_(index_type(b_.getContext(), p_)) {}

KernelLaunch ProductKernel::emit() {
  Value* block = b_.CreateZExtOrTrunc(k_.block(), index_);
  const Values at = digits_of(b_, block, {p_.batch, tiles(p_.m, tile_.m), tiles(p_.n, tile_.n)});
  batch_ = at[0], thread_ = k_.thread();
  left_.first = times(at[1], tile_.m), right_.first = times(at[2], tile_.n);
  begin();
  const Values zeros(static_cast<size_t>(tile_.thread_m) * static_cast<size_t>(tile_.thread_n), llvm::Constant::getNullValue(type_));
  write(p_.k == 0 ? zeros : along_k(zeros));
  return k_.finish(tile_.blocks(p_.batch, p_.m, p_.n));
}

/// While a tile is multiplied, the next one is on its way; two tiles of each operand take turns.
Values ProductKernel::along_k(const Values& zeros) {
  for (Stream* s : {&left_, &right_}) {
    lay_out(*s);
    s->pointer = k_.buffer(s->side.buffer);
    s->shared = k_.shared(shared_type(), int64_t{2} * s->size);
  }
  put(left_, fetch(left_, number(0)), int32(0));
  put(right_, fetch(right_, number(0)), int32(0));
  k_.barrier();
  return k_.loop(number(0), number(p_.k), number(tile_.k), zeros, [&](Value* k, const Values& sums) {
    Value* next = plus(k, tile_.k);
    const Values left = fetch(left_, next), right = fetch(right_, next);
    Value* turn = b_.CreateAnd(b_.CreateTrunc(b_.CreateUDiv(k, number(tile_.k)), b_.getInt32Ty()), 1);
    const Values more = multiplied(sums, tile(left_, turn), tile(right_, turn));
    Value* other = b_.CreateXor(turn, 1);
    put(left_, left, other), put(right_, right, other);
    k_.barrier();
    return more;
  });
}

Value* ProductKernel::tile(const Stream& s, Value* turn) { return b_.CreateGEP(shared_type(), s.shared, times(turn, s.size)); }

/// The thread's element number i of a tile: neighbours in memory are those of neighbouring threads.
ProductKernel::InTile ProductKernel::in_tile(const Stream& s, int i) {
  Value* element = plus(thread_, int64_t{i} * tile_.threads());
  const bool along_k = s.side.rows_are_neighbours != s.is_left;
  const int fast = along_k ? tile_.k : s.extent;
  const Values digits = digits_of(b_, element, {elements(s) / fast, fast});
  return {element, digits[along_k ? 0 : 1], digits[along_k ? 1 : 0]};
}

/// The thread's elements of the tile that begins at k, as they lie in shared memory; 0 outside of the matrix.
Values ProductKernel::fetch(const Stream& s, Value* k) {
  Values all;
  const bool as_in_memory = shared_type() != type_;
  for (int i = 0; i < per_thread(s); ++i) {
    const InTile at = in_tile(s, i);
    Value *across = b_.CreateAdd(s.first, index(at.across)), *along = b_.CreateAdd(k, index(at.k));
    const Place place = s.is_left ? s.side.places(b_, batch_, across, along) : s.side.places(b_, batch_, along, across);
    Value* exists = b_.CreateICmpULT(along, number(p_.k));
    if (s.total % s.extent != 0) exists = b_.CreateAnd(exists, b_.CreateICmpULT(across, number(s.total)));
    if (has_idle_threads(s)) exists = b_.CreateAnd(exists, b_.CreateICmpULT(at.element, int32(elements(s))));
    if (place.exists) exists = b_.CreateAnd(exists, place.exists);
    // The first element there is always, and without a branch all are on their way at once.
    Value* offset = b_.CreateSelect(exists, place.offset, number(0));
    Value* element = as_in_memory ? k_.load_bits(p_.dtype, s.pointer, offset, true) : k_.load(p_.dtype, s.pointer, offset, true);
    all.push_back(b_.CreateSelect(exists, element, llvm::Constant::getNullValue(element->getType())));
  }
  return all;
}

void ProductKernel::put(const Stream& s, const Values& fetched, Value* turn) {
  Value* to = tile(s, turn);
  for (int i = 0; i < per_thread(s); ++i) {
    const InTile at = in_tile(s, i);
    Value* offset = b_.CreateAdd(times(at.across, s.across_stride), times(at.k, s.k_stride));
    const auto store = [&] { b_.CreateStore(fetched[static_cast<size_t>(i)], b_.CreateGEP(shared_type(), to, offset)); };
    if (has_idle_threads(s)) k_.when(b_.CreateICmpULT(at.element, int32(elements(s))), store);
    else store();
  }
}

void ProductKernel::write(const Values& sums) {
  for (size_t i = 0; i < sums.size(); ++i) {
    const auto [row, column] = row_and_column(i);
    Value *m = b_.CreateAdd(left_.first, index(row)), *n = b_.CreateAdd(right_.first, index(column));
    Value* exists = b_.CreateAnd(b_.CreateICmpULT(m, number(p_.m)), b_.CreateICmpULT(n, number(p_.n)));
    k_.when(exists, [&] { store_element(k_, p_, sums[i], batch_, m, n); });
  }
}

}  // namespace weft::cuda
