// mma.sync.m16n8k16: a warp multiplies a [16, 16] and b [16, 8]. Lane 4g + t has, of each two neighbouring elements,
//
//   of a  rows g and g + 8, at k = 2t and 2t + 8 (four registers of two: row first)
//   of b  column g, at k = 2t and 2t + 8
//   of the sums  rows g and g + 8, columns 2t and 2t + 1

#include <llvm/IR/IntrinsicsNVPTX.h>

#include "weft/backends/cuda/kernels/product_kernel.h"

namespace weft::cuda {
namespace {

constexpr int unit_m = 16, unit_n = 8, unit_k = 16;
constexpr int warps_m = 2, warps_n = 4, lanes = 32;

class MatrixUnitsKernel final : public ProductKernel {
 public:
  using ProductKernel::ProductKernel;

 private:
  int units_m() const { return tile_.m / warps_m / unit_m; }  // of a warp
  int units_n() const { return tile_.n / warps_n / unit_n; }

  llvm::Type* shared_type() override { return b_.getInt16Ty(); }

  /// As [across][k]: neighbours along k make a register. With 16 bytes between them, the rows that a warp reads lie in different banks.
  void lay_out(Stream& s) const override {
    s.k_stride = 1, s.across_stride = tile_.k + 8;
    s.size = s.extent * s.across_stride;
  }

  void begin() override {
    const Values in_block = digits_of(b_, thread_, {warps_m, warps_n, lanes / 4, 4});
    first_m_ = times(in_block[0], tile_.m / warps_m), first_n_ = times(in_block[1], tile_.n / warps_n);
    group_ = in_block[2], pair_ = times(in_block[3], 2);
  }

  /// The two elements from (across, k) on.
  Value* read(const Stream& s, Value* tile, Value* across, int k) {
    Value* offset = b_.CreateAdd(times(b_.CreateAdd(across, group_), s.across_stride), plus(pair_, k));
    return b_.CreateAlignedLoad(b_.getInt32Ty(), b_.CreateGEP(shared_type(), tile, offset), llvm::Align(4));
  }

  Values multiplied(Values sums, Value* left_tile, Value* right_tile) override {
    for (int k = 0; k < tile_.k; k += unit_k) {
      std::vector<Values> a, c;
      for (int i = 0; i < units_m(); ++i)
        for (int r = 0; r < 4; ++r) {
          if (r == 0) a.emplace_back();
          a.back().push_back(read(left_, left_tile, plus(first_m_, i * unit_m + r % 2 * 8), k + r / 2 * 8));
        }
      for (int j = 0; j < units_n(); ++j) {
        Value* column = plus(first_n_, int64_t{j} * unit_n);
        c.push_back({read(right_, right_tile, column, k), read(right_, right_tile, column, k + 8)});
      }
      for (size_t i = 0; i < a.size(); ++i)
        for (size_t j = 0; j < c.size(); ++j) multiply(a[i], c[j], &sums[4 * (i * c.size() + j)]);
    }
    return sums;
  }

  void multiply(const Values& a, const Values& c, Value** sums) {
    Value* all = b_.CreateIntrinsic(llvm::Intrinsic::nvvm_mma_m16n8k16_row_col_bf16, {},
                                    {a[0], a[1], a[2], a[3], c[0], c[1], sums[0], sums[1], sums[2], sums[3]});
    for (unsigned r = 0; r < 4; ++r) sums[r] = b_.CreateExtractValue(all, r);
  }

  std::pair<Value*, Value*> row_and_column(size_t sum) override {
    const int unit = static_cast<int>(sum / 4), r = static_cast<int>(sum % 4);
    Value* row = plus(b_.CreateAdd(first_m_, group_), unit / units_n() * unit_m + r / 2 * 8);
    Value* column = plus(b_.CreateAdd(first_n_, pair_), unit % units_n() * unit_n + r % 2);
    return {row, column};
  }

  Value *first_m_ = nullptr, *first_n_ = nullptr;  // of the warp's part
  Value *group_ = nullptr, *pair_ = nullptr;       // g and 2t of the lane
};

}  // namespace

std::unique_ptr<ProductKernel> matrix_units_kernel(llvm::Module& module, const ir::Op& op, const std::string& name, const Product& product,
                                                   const ProductTile& tile) {
  return std::make_unique<MatrixUnitsKernel>(module, op, name, product, tile);
}

}  // namespace weft::cuda
