// Products by matrix units.

#include "weft/backends/cuda/kernels/matrix_units.h"
#include "weft/backends/cuda/kernels/product_kernel.h"

namespace weft::cuda {
namespace {

constexpr int warps_m = 2, warps_n = 4;

class MatrixUnitsKernel final : public ProductKernel {
 public:
  using ProductKernel::ProductKernel;

 private:
  int units_m() const { return tile_.m / warps_m / MatrixUnits::unit_m; }  // of a warp
  int units_n() const { return tile_.n / warps_n / MatrixUnits::unit_n; }

  llvm::Type* shared_type() override { return b_.getInt16Ty(); }

  /// As [across][k]: neighbours along k make a register.
  void lay_out(Stream& s) const override {
    s.k_stride = 1, s.across_stride = tile_.k + MatrixUnits::gap;
    s.size = s.extent * s.across_stride;
  }

  void begin() override {
    const Values in_block = digits_of(b_, thread_, {warps_m, warps_n, MatrixUnits::lanes});
    first_m_ = times(in_block[0], tile_.m / warps_m), first_n_ = times(in_block[1], tile_.n / warps_n);
    units_.emplace(b_, p_.dtype, in_block[2]);
  }

  Values multiplied(Values sums, Value* left_tile, Value* right_tile) override {
    for (int k = 0; k < tile_.k; k += MatrixUnits::unit_k) {
      std::vector<Values> a, c;
      for (int i = 0; i < units_m(); ++i) a.push_back(units_->left(left_tile, first_m_, i * MatrixUnits::unit_m, left_.across_stride, k));
      for (int j = 0; j < units_n(); ++j)
        c.push_back(units_->right(right_tile, first_n_, j * MatrixUnits::unit_n, right_.across_stride, k));
      for (size_t i = 0; i < a.size(); ++i)
        for (size_t j = 0; j < c.size(); ++j) units_->multiply(a[i], c[j], &sums[MatrixUnits::lane_sums * (i * c.size() + j)]);
    }
    return sums;
  }

  std::pair<Value*, Value*> row_and_column(size_t sum) override {
    const auto unit = static_cast<int>(sum / MatrixUnits::lane_sums);
    const size_t r = sum % MatrixUnits::lane_sums;
    Value* row = plus(b_.CreateAdd(first_m_, units_->group()), unit / units_n() * MatrixUnits::unit_m + MatrixUnits::row_of_sum(r));
    Value* column = plus(b_.CreateAdd(first_n_, units_->pair()), unit % units_n() * MatrixUnits::unit_n + static_cast<int>(r % 2));
    return {row, column};
  }

  Value *first_m_ = nullptr, *first_n_ = nullptr;  // of the warp's part
  std::optional<MatrixUnits> units_;
};

}  // namespace

std::unique_ptr<ProductKernel> matrix_units_kernel(llvm::Module& module, const ir::Op& op, const std::string& name, const Product& product,
                                                   const ProductTile& tile) {
  return std::make_unique<MatrixUnitsKernel>(module, op, name, product, tile);
}

}  // namespace weft::cuda
