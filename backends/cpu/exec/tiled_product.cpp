#include "weft/backends/cpu/exec/gemm.h"
#include "weft/backends/cpu/exec/product_slice.h"

namespace weft::cpu {
namespace {

/// Of one of the slice's products.
Gemm gemm_of(const MatmulSpec& s, const Slice& part) {
  const auto [a_row, a_column] = s.transpose_a ? std::pair<int64_t, int64_t>{1, s.m} : std::pair{s.k, int64_t{1}};
  const auto [b_row, b_column] = s.transpose_b ? std::pair<int64_t, int64_t>{1, s.k} : std::pair{s.n, int64_t{1}};
  return {*gemm_kernels(), {part.rows, part.columns, s.k, a_row, a_column, b_row, b_column, s.n}};
}

class TiledProduct final : public ProductSlice {
 public:
  TiledProduct(const MatmulSpec& spec, const Slice& part, int64_t scratch_offset)
      : spec_(spec), part_(part), gemm_(gemm_of(spec, part)), offset_(scratch_offset) {}

  int64_t scratch_bytes() const override { return gemm_.scratch_bytes(); }
  std::string implementation() const override { return gemm_kernels()->name; }

  void bind(const std::vector<std::byte*>& buffers) override {
    const auto floats = [&](size_t buffer) { return reinterpret_cast<float*>(buffers[buffer]); };
    const size_t result = spec_.result_buffer();
    a_ = floats(0) + part_.batch * spec_.m * spec_.k + part_.m * (spec_.transpose_a ? 1 : spec_.k);
    b_ = floats(1) + part_.batch * spec_.k * spec_.n + part_.n * (spec_.transpose_b ? spec_.k : 1);
    const int64_t first = part_.batch * spec_.m * spec_.n + part_.m * spec_.n + part_.n;
    bias_ = spec_.bias ? floats(2) + part_.n : nullptr;
    addend_ = spec_.addend ? floats(2) + first : nullptr;
    result_ = floats(result) + first;
    scratch_ = gemm_.scratch_bytes() > 0 ? reinterpret_cast<float*>(buffers[result + 1] + offset_) : nullptr;
  }

  int run() const override {
    for (int64_t i = 0; i < part_.batches; ++i) {
      const int64_t at = i * spec_.m * spec_.n;
      gemm_.run(a_ + i * spec_.m * spec_.k, b_ + i * spec_.k * spec_.n, bias_, addend_ ? addend_ + at : nullptr, result_ + at, scratch_);
    }
    return 0;
  }

 private:
  MatmulSpec spec_;
  Slice part_;
  Gemm gemm_;
  int64_t offset_;
  const float *a_ = nullptr, *b_ = nullptr, *bias_ = nullptr, *addend_ = nullptr;
  float *result_ = nullptr, *scratch_ = nullptr;
};

}  // namespace

bool is_tiled(const MatmulSpec& spec) {
  const GemmKernels* kernels = gemm_kernels();
  return kernels && spec.dtype == f32 && Gemm::suits(*kernels, spec.m, spec.n, spec.k);
}

Answer tiled_answer(const MatmulSpec& spec, const Slice& part) { return {gemm_kernels()->name, gemm_of(spec, part).scratch_bytes()}; }

std::unique_ptr<ProductSlice> tiled_product(const MatmulSpec& spec, const Slice& part, int64_t scratch_offset) {
  return std::make_unique<TiledProduct>(spec, part, scratch_offset);
}

}  // namespace weft::cpu
