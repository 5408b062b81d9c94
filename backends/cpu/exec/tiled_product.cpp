#include "weft/backends/cpu/exec/f32_slice.h"
#include "weft/backends/cpu/exec/gemm.h"

namespace weft::cpu {
namespace {

/// Of one of the slice's products.
Gemm gemm_of(const MatmulSpec& s, const Slice& part) {
  const auto [a_row, a_column] = s.transpose_a ? std::pair<int64_t, int64_t>{1, s.m} : std::pair{s.k, int64_t{1}};
  const auto [b_row, b_column] = s.transpose_b ? std::pair<int64_t, int64_t>{1, s.k} : std::pair{s.n, int64_t{1}};
  return {*gemm_kernels(), {part.rows, part.columns, s.k, a_row, a_column, b_row, b_column, s.n}};
}

class TiledProduct final : public F32Slice {
 public:
  TiledProduct(const MatmulSpec& spec, const Slice& part, int64_t scratch_offset)
      : F32Slice(spec, part), gemm_(gemm_of(spec, part)), offset_(scratch_offset) {}

  int64_t scratch_bytes() const override { return gemm_.scratch_bytes(); }
  std::string implementation() const override { return gemm_kernels()->name; }

  void bind(const std::vector<std::byte*>& buffers) override {
    F32Slice::bind(buffers);
    scratch_ = gemm_.scratch_bytes() > 0 ? reinterpret_cast<float*>(buffers[spec_.result_buffer() + 1] + offset_) : nullptr;
  }

 private:
  void multiply(const Operands& of) const override { gemm_.run(of.a, of.b, of.bias, of.addend, of.result, scratch_); }

  Gemm gemm_;
  int64_t offset_;
  float* scratch_ = nullptr;
};

}  // namespace

bool is_tiled(const MatmulSpec& spec) {
  const GemmKernels* kernels = gemm_kernels();
  return kernels && spec.dtype == f32 && Gemm::suits(*kernels, spec.m, spec.n, spec.k);
}

double tiled_cycles(const MatmulSpec& spec) { return gemm_of(spec, {.rows = spec.m, .columns = spec.n}).cycles(); }

Answer tiled_answer(const MatmulSpec& spec, const Slice& part) { return {gemm_kernels()->name, gemm_of(spec, part).scratch_bytes()}; }

std::unique_ptr<ProductSlice> tiled_product(const MatmulSpec& spec, const Slice& part, int64_t scratch_offset) {
  return std::make_unique<TiledProduct>(spec, part, scratch_offset);
}

}  // namespace weft::cpu
