#include <algorithm>

#include "weft/backends/cpu/exec/dots_kernels.h"
#include "weft/backends/cpu/exec/f32_slice.h"
#include "weft/backends/cpu/exec/isa.h"

namespace weft::cpu {
namespace {

const DotsKernels& dots_kernels() {
  const std::string_view isa = library_isa();
  return isa == "avx512" ? avx512_dots_kernels : isa == "avx2" ? avx2_dots_kernels : sse4_dots_kernels;
}

/// So few rows of one operand are fewer than a tile has: of 512 x 784 weights dots of 8 rows take half of the time, of one row a quarter
/// of the library's.
constexpr int64_t few = 8;

/// Of one matrix: multiplications, and for each sum what it takes to add up its lanes and to write it. Measured on a Xeon with AVX-512:
/// 32 x 784 by 32 x 784 take 0.6 of the tiles' time, 64 x 256 by 64 x 256 as long, and 64 x 784 by 512 x 784 a little longer.
double dots_cycles(const MatmulSpec& s) {
  constexpr double vectors_a_cycle = 2, from_second_cache = 1.1, of_sum = 6;
  const double products = static_cast<double>(s.m) * static_cast<double>(s.n) * static_cast<double>(s.k),
               lanes = static_cast<double>(isa_width(library_isa())) / (8 * sizeof(float));
  return products / (vectors_a_cycle * lanes) * from_second_cache + static_cast<double>(s.m) * static_cast<double>(s.n) * of_sum;
}

class DotsProduct final : public F32Slice {
 public:
  DotsProduct(const MatmulSpec& spec, const Slice& part) : F32Slice(spec, part), kernels_(dots_kernels()) {}

  int64_t scratch_bytes() const override { return 0; }
  std::string implementation() const override { return kernels_.name; }

 private:
  void multiply(const Operands& of) const override {
    const int64_t n = spec_.n, k = spec_.k, rows = part_.rows, columns = part_.columns;
    if (rows <= columns) kernels_.dots({of.a, of.b, k, k, rows, columns, k, of.result, n, 1, of.addend, of.bias, 0, 1});
    else kernels_.dots({of.b, of.a, k, k, columns, rows, k, of.result, 1, n, of.addend, of.bias, 1, 0});
  }

  const DotsKernels& kernels_;
};

}  // namespace

bool is_dots(const MatmulSpec& s) {
  const bool a_along_k = !s.transpose_a || s.m == 1, b_along_k = s.transpose_b || s.n == 1;
  if (s.dtype != f32 || !a_along_k || !b_along_k) return false;
  return std::min(s.m, s.n) <= few || (is_tiled(s) && dots_cycles(s) < tiled_cycles(s));
}

Answer dots_answer(const MatmulSpec&, const Slice&) { return {dots_kernels().name, 0}; }

std::unique_ptr<ProductSlice> dots_product(const MatmulSpec& spec, const Slice& part, int64_t) {
  return std::make_unique<DotsProduct>(spec, part);
}

}  // namespace weft::cpu
