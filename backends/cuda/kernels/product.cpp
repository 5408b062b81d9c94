#include "weft/backends/cuda/kernels/product.h"

#include <algorithm>
#include <limits>

namespace weft::cuda {
namespace {

int64_t tiles(int64_t extent, int64_t tile) { return (extent + tile - 1) / tile; }

/// One operand on its way through shared memory, where a tile lies as [k][extent].
struct Stream {
  const ProductSide& side;
  bool is_left;
  int extent;     // of the tile across k
  int64_t total;  // of the matrix across k
  int thread_extent;
  Value *first = nullptr, *thread_first = nullptr;  // of the tile, in the matrix; of the thread, in the tile
  Value *pointer = nullptr, *shared = nullptr;
};

class ProductKernel {
 public:
  ProductKernel(llvm::Module& module, const ir::Op& op, const std::string& name, const Product& product, const ProductTile& tile)
      : p_(product), tile_(tile), k_(module, op, name, static_cast<uint32_t>(tile.threads()), tile.thread_m * tile.thread_n > 16 ? 1 : 2),
        b_(k_.b), type_(codegen::register_type(b_.getContext(), p_.dtype)), bytes_(static_cast<int>(type_->getPrimitiveSizeInBits()) / 8),
        index_(p_.most_elements + std::max({p_.m, p_.n, p_.k}) < std::numeric_limits<int32_t>::max() - 1024 ? b_.getInt32Ty()
                                                                                                            : b_.getInt64Ty()),
        left_{p_.left, true, tile.m, p_.m, tile.thread_m}, right_{p_.right, false, tile.n, p_.n, tile.thread_n} {}

  KernelLaunch emit() {
    Value* block = b_.CreateZExtOrTrunc(k_.block(), index_);
    const Values at = digits_of(b_, block, {p_.batch, tiles(p_.m, tile_.m), tiles(p_.n, tile_.n)});
    batch_ = at[0], thread_ = k_.thread();
    left_.first = b_.CreateMul(at[1], number(tile_.m)), right_.first = b_.CreateMul(at[2], number(tile_.n));
    const Values in_block = digits_of(b_, thread_, {tile_.m / tile_.thread_m, tile_.n / tile_.thread_n});
    left_.thread_first = in_block[0], right_.thread_first = in_block[1];
    Values sums(static_cast<size_t>(tile_.thread_m) * static_cast<size_t>(tile_.thread_n), llvm::Constant::getNullValue(type_));
    write(p_.k == 0 ? sums : along_k(sums));
    return k_.finish(tile_.blocks(p_.batch, p_.m, p_.n));
  }

 private:
  llvm::Constant* number(int64_t value) { return llvm::ConstantInt::get(index_, static_cast<uint64_t>(value)); }
  Value* index(Value* v) { return b_.CreateZExt(v, index_); }

  /// While a tile is multiplied, the next one is on its way; two tiles of each operand take turns.
  Values along_k(const Values& zeros) {
    for (Stream* s : {&left_, &right_}) {
      s->pointer = k_.buffer(s->side.buffer);
      s->shared = k_.shared(type_, int64_t{2} * tile_.k * stride(*s));
    }
    put(left_, fetch(left_, number(0)), b_.getInt32(0));
    put(right_, fetch(right_, number(0)), b_.getInt32(0));
    k_.barrier();
    return k_.loop(number(0), number(p_.k), number(tile_.k), zeros, [&](Value* k, const Values& sums) {
      Value* next = b_.CreateAdd(k, number(tile_.k));
      const Values left = fetch(left_, next), right = fetch(right_, next);
      Value* turn = b_.CreateAnd(b_.CreateTrunc(b_.CreateUDiv(k, number(tile_.k)), b_.getInt32Ty()), 1);
      const Values more = multiplied(sums, turn);
      Value* other = b_.CreateXor(turn, 1);
      put(left_, left, other), put(right_, right, other);
      k_.barrier();
      return more;
    });
  }

  /// Behind each row of a tile stand some unused elements, so that rows begin in different banks.
  int stride(const Stream& s) const { return s.extent + std::max(1, 16 / bytes_); }
  int elements(const Stream& s) const { return s.extent * tile_.k; }
  int per_thread(const Stream& s) const { return (elements(s) + tile_.threads() - 1) / tile_.threads(); }
  bool has_idle_threads(const Stream& s) const { return elements(s) < tile_.threads(); }

  struct InTile {
    Value *element, *across, *k;
  };
  /// The thread's element number i of a tile: neighbours in memory are those of neighbouring threads.
  InTile in_tile(const Stream& s, int i) {
    Value* element = b_.CreateAdd(thread_, b_.getInt32(static_cast<uint32_t>(i * tile_.threads())));
    const bool along_k = s.side.rows_are_neighbours != s.is_left;
    const int fast = along_k ? tile_.k : s.extent;
    const Values digits = digits_of(b_, element, {elements(s) / fast, fast});
    return {element, digits[along_k ? 0 : 1], digits[along_k ? 1 : 0]};
  }

  /// The thread's elements of the tile that begins at k; 0 outside of the matrix.
  Values fetch(const Stream& s, Value* k) {
    Values all;
    for (int i = 0; i < per_thread(s); ++i) {
      const InTile at = in_tile(s, i);
      Value *across = b_.CreateAdd(s.first, index(at.across)), *along = b_.CreateAdd(k, index(at.k));
      const Place place = s.is_left ? s.side.places(b_, batch_, across, along) : s.side.places(b_, batch_, along, across);
      Value* exists = b_.CreateICmpULT(along, number(p_.k));
      if (s.total % s.extent != 0) exists = b_.CreateAnd(exists, b_.CreateICmpULT(across, number(s.total)));
      if (has_idle_threads(s)) exists = b_.CreateAnd(exists, b_.CreateICmpULT(at.element, b_.getInt32(static_cast<uint32_t>(elements(s)))));
      if (place.exists) exists = b_.CreateAnd(exists, place.exists);
      // The first element there is always, and without a branch all are on their way at once.
      Value* element = k_.load(p_.dtype, s.pointer, b_.CreateSelect(exists, place.offset, number(0)), true);
      all.push_back(b_.CreateSelect(exists, element, llvm::Constant::getNullValue(type_)));
    }
    return all;
  }

  /// The beginning of a tile in shared memory.
  Value* shared_tile(const Stream& s, Value* turn) {
    return b_.CreateGEP(type_, s.shared, b_.CreateMul(turn, b_.getInt32(static_cast<uint32_t>(tile_.k * stride(s)))));
  }

  void put(const Stream& s, const Values& fetched, Value* turn) {
    Value* tile = shared_tile(s, turn);
    for (int i = 0; i < per_thread(s); ++i) {
      const InTile at = in_tile(s, i);
      Value* offset = b_.CreateAdd(b_.CreateMul(at.k, b_.getInt32(static_cast<uint32_t>(stride(s)))), at.across);
      const auto store = [&] { b_.CreateStore(fetched[static_cast<size_t>(i)], b_.CreateGEP(type_, tile, offset)); };
      if (has_idle_threads(s)) k_.when(b_.CreateICmpULT(at.element, b_.getInt32(static_cast<uint32_t>(elements(s)))), store);
      else store();
    }
  }

  /// A thread's part consists of runs that one load reads, of up to 16 bytes; the runs of a side are spread over the tile.
  int run(const Stream& s) const { return std::min(s.thread_extent, std::min(4, 16 / bytes_)); }
  /// Where the thread's number i stands in the tile.
  Value* across(const Stream& s, int i) {
    const int length = run(s), runs = s.thread_extent / length;
    Value* first = b_.CreateMul(s.thread_first, b_.getInt32(static_cast<uint32_t>(length)));
    return b_.CreateAdd(first, b_.getInt32(static_cast<uint32_t>(i / length * (s.extent / runs) + i % length)));
  }

  Values read(const Stream& s, Value* tile, int k) {
    Values all;
    const int length = run(s);
    auto* type = llvm::FixedVectorType::get(type_, static_cast<unsigned>(length));
    for (int i = 0; i < s.thread_extent; i += length) {
      Value* offset = b_.CreateAdd(across(s, i), b_.getInt32(static_cast<uint32_t>(k * stride(s))));
      Value* elements = b_.CreateAlignedLoad(type, b_.CreateGEP(type_, tile, offset), llvm::Align(static_cast<uint64_t>(length * bytes_)));
      for (int e = 0; e < length; ++e) all.push_back(b_.CreateExtractElement(elements, static_cast<uint64_t>(e)));
    }
    return all;
  }

  Values multiplied(Values sums, Value* turn) {
    Value *left = shared_tile(left_, turn), *right = shared_tile(right_, turn);
    for (int k = 0; k < tile_.k; ++k) {
      const Values a = read(left_, left, k), c = read(right_, right, k);
      for (size_t i = 0; i < a.size(); ++i)
        for (size_t j = 0; j < c.size(); ++j) {
          Value*& sum = sums[i * c.size() + j];
          sum = type_->isFloatingPointTy() ? b_.CreateIntrinsic(llvm::Intrinsic::fma, {type_}, {a[i], c[j], sum})
                                           : b_.CreateAdd(sum, b_.CreateMul(a[i], c[j]));
        }
    }
    return sums;
  }

  void write(const Values& sums) {
    Value* result = k_.buffer(p_.result_buffer);
    const auto inside = [&](const Stream& s, Value* at, const std::function<void()>& body) {
      if (s.total % s.extent == 0) body();
      else k_.when(b_.CreateICmpULT(at, number(s.total)), body);
    };
    for (int i = 0; i < tile_.thread_m; ++i) {
      Value* m = b_.CreateAdd(left_.first, index(across(left_, i)));
      inside(left_, m, [&] {
        for (int j = 0; j < tile_.thread_n; ++j) {
          Value* n = b_.CreateAdd(right_.first, index(across(right_, j)));
          inside(right_, n, [&] {
            k_.store(p_.dtype, result, p_.result_places(b_, batch_, m, n).offset, sums[static_cast<size_t>(i * tile_.thread_n + j)]);
          });
        }
      });
    }
  }

  const Product& p_;
  ProductTile tile_;
  KernelBuilder k_;
  IRBuilder& b_;
  llvm::Type* type_;
  int bytes_;  // of an element in shared memory
  llvm::Type* index_;
  Stream left_, right_;
  Value *batch_ = nullptr, *thread_ = nullptr;
};

}  // namespace

ProductTile tile_of(const Product& p) { return tile_for(p.dtype, p.batch, p.m, p.n); }

bool is_launchable(const Product& p) { return tile_of(p).blocks(p.batch, p.m, p.n) <= most_blocks; }

KernelLaunch emit_product(llvm::Module& module, const ir::Op& op, const std::string& name, const Product& product,
                          const ProductTile& tile) {
  return ProductKernel(module, op, name, product, tile).emit();
}

}  // namespace weft::cuda
