#pragma once
// What the kernels of products share: how tiles of the operands come into shared memory, and how the sums come out.

#include "weft/backends/cuda/kernels/product.h"

namespace weft::cuda {

class ProductKernel {
 public:
  ProductKernel(llvm::Module& module, const ir::Op& op, const std::string& name, const Product& product, const ProductTile& tile);
  virtual ~ProductKernel() = default;

  KernelLaunch emit();

 protected:
  /// One operand on its way through shared memory.
  struct Stream {
    const ProductSide& side;
    bool is_left;
    int extent;     // of a tile across k
    int64_t total;  // of the matrix across k
    int thread_extent;
    /// Elements between neighbours of a tile in shared memory, and of the whole tile.
    int across_stride = 0, k_stride = 0, size = 0;
    Value *first = nullptr, *pointer = nullptr, *shared = nullptr;  // of the tile in the matrix; where they lie
  };

  /// Sets how the stream's tiles lie in shared memory, as elements of which type.
  virtual void lay_out(Stream& stream) const = 0;
  virtual llvm::Type* shared_type() = 0;
  /// Some threads' numbers in the block.
  virtual void begin() = 0;
  /// The thread's sums with the products of those tiles.
  virtual Values multiplied(Values sums, Value* left_tile, Value* right_tile) = 0;
  /// Where a sum of the thread stands in the tile of the result.
  virtual std::pair<Value*, Value*> row_and_column(size_t sum) = 0;

  Value* int32(int64_t value) { return b_.getInt32(static_cast<uint32_t>(value)); }
  Value* plus(Value* v, int64_t n) { return b_.CreateAdd(v, codegen::integer(v, n)); }
  Value* times(Value* v, int64_t n) { return b_.CreateMul(v, codegen::integer(v, n)); }

  const Product& p_;
  ProductTile tile_;
  KernelBuilder k_;
  IRBuilder& b_;
  llvm::Type* type_;  // of sums
  Stream left_, right_;
  Value* thread_ = nullptr;

 private:
  llvm::Constant* number(int64_t value) { return llvm::ConstantInt::get(index_, static_cast<uint64_t>(value)); }
  Value* index(Value* v) { return b_.CreateZExt(v, index_); }
  Values along_k(const Values& zeros);
  Value* tile(const Stream& s, Value* turn);

  int elements(const Stream& s) const { return s.extent * tile_.k; }
  int per_thread(const Stream& s) const { return (elements(s) + tile_.threads() - 1) / tile_.threads(); }
  bool has_idle_threads(const Stream& s) const { return elements(s) < tile_.threads(); }
  struct InTile {
    Value *element, *across, *k;
  };
  InTile in_tile(const Stream& s, int i);
  Values fetch(const Stream& s, Value* k);
  void put(const Stream& s, const Values& fetched, Value* turn);
  void write(const Values& sums);

  llvm::Type* index_;
  Value* batch_ = nullptr;
};

/// Each thread multiplies what its part of the tile needs.
std::unique_ptr<ProductKernel> threads_kernel(llvm::Module& module, const ir::Op& op, const std::string& name, const Product& product,
                                              const ProductTile& tile);
/// The matrix units do, of bf16: eight warps, each with a part of the tile.
std::unique_ptr<ProductKernel> matrix_units_kernel(llvm::Module& module, const ir::Op& op, const std::string& name, const Product& product,
                                                   const ProductTile& tile);

}  // namespace weft::cuda
