#include "weft/backends/cuda/kernels/product_kernel.h"

#include <algorithm>

namespace weft::cuda {
namespace {

class ThreadsKernel final : public ProductKernel {
 public:
  using ProductKernel::ProductKernel;

 private:
  int bytes() const { return static_cast<int>(type_->getPrimitiveSizeInBits()) / 8; }
  llvm::Type* shared_type() override { return type_; }

  /// As [k][across], so that a load reads several neighbours; behind each row stand some unused elements, so that rows begin in
  /// different banks.
  void lay_out(Stream& s) const override {
    s.across_stride = 1, s.k_stride = s.extent + std::max(1, 16 / bytes());
    s.size = tile_.k * s.k_stride;
  }

  void begin() override {
    const Values in_block = digits_of(b_, thread_, {tile_.m / tile_.thread_m, tile_.n / tile_.thread_n});
    row_ = in_block[0], column_ = in_block[1];
  }

  /// A thread's part consists of runs that one load reads, of up to 16 bytes; the runs of a side are spread over the tile.
  int run(const Stream& s) const { return std::min(s.thread_extent, std::min(4, 16 / bytes())); }
  /// Where the thread's number i stands in the tile.
  Value* across(const Stream& s, int i) {
    const int length = run(s), runs = s.thread_extent / length;
    return plus(times(s.is_left ? row_ : column_, length), i / length * (s.extent / runs) + i % length);
  }

  Values read(const Stream& s, Value* tile, int k) {
    Values all;
    const int length = run(s);
    auto* type = llvm::FixedVectorType::get(type_, static_cast<unsigned>(length));
    for (int i = 0; i < s.thread_extent; i += length) {
      Value* from = b_.CreateGEP(type_, tile, plus(across(s, i), int64_t{k} * s.k_stride));
      Value* elements = b_.CreateAlignedLoad(type, from, llvm::Align(static_cast<uint64_t>(length * bytes())));
      for (int e = 0; e < length; ++e) all.push_back(b_.CreateExtractElement(elements, static_cast<uint64_t>(e)));
    }
    return all;
  }

  Values multiplied(Values sums, Value* left_tile, Value* right_tile) override {
    for (int k = 0; k < tile_.k; ++k) {
      const Values a = read(left_, left_tile, k), c = read(right_, right_tile, k);
      for (size_t i = 0; i < sums.size(); ++i) {
        Value *x = a[i / c.size()], *y = c[i % c.size()];
        sums[i] = type_->isFloatingPointTy() ? b_.CreateIntrinsic(llvm::Intrinsic::fma, {type_}, {x, y, sums[i]})
                                             : b_.CreateAdd(sums[i], b_.CreateMul(x, y));
      }
    }
    return sums;
  }

  std::pair<Value*, Value*> row_and_column(size_t sum) override {
    const int i = static_cast<int>(sum) / tile_.thread_n, j = static_cast<int>(sum) % tile_.thread_n;
    return {across(left_, i), across(right_, j)};
  }

  Value *row_ = nullptr, *column_ = nullptr;  // of the thread's part, among the parts
};

}  // namespace

std::unique_ptr<ProductKernel> threads_kernel(llvm::Module& module, const ir::Op& op, const std::string& name, const Product& product,
                                              const ProductTile& tile) {
  return std::make_unique<ThreadsKernel>(module, op, name, product, tile);
}

}  // namespace weft::cuda
