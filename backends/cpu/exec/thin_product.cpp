#include "weft/backends/cpu/exec/f32_slice.h"
#include "weft/backends/cpu/exec/isa.h"
#include "weft/backends/cpu/exec/thin_kernels.h"

namespace weft::cpu {
namespace {

const ThinKernels& thin_kernels() {
  const std::string_view isa = library_isa();
  return isa == "avx512" ? avx512_thin_kernels : isa == "avx2" ? avx2_thin_kernels : sse4_thin_kernels;
}

enum class Form {
  none,
  sums,
  sums_of_column,  // of the transposed product: the result is a column, and a the operand that is read in order
};

/// On a Xeon with AVX-512 up to here no slower than tiles, of 512 x 784 weights: sums of 2 rows take 0.76 of their time (4 rows 1.3), 8
/// products a sum 0.76 (12 take 1.6), one 0.27 of the library's time. With AVX2 likewise.
constexpr int64_t few_rows = 2, few_products = 8;

Form form_of(const MatmulSpec& s) {
  if (s.dtype != f32) return Form::none;
  const bool b_along_n = !s.transpose_b || s.k == 1;
  if (b_along_n && (s.m <= few_rows || s.k <= few_products)) return Form::sums;
  return s.n == 1 && !s.bias ? Form::sums_of_column : Form::none;
}

class ThinProduct final : public F32Slice {
 public:
  ThinProduct(const MatmulSpec& spec, const Slice& part) : F32Slice(spec, part), form_(form_of(spec)), kernels_(thin_kernels()) {}

  int64_t scratch_bytes() const override { return 0; }
  std::string implementation() const override { return kernels_.name; }

 private:
  void multiply(const Operands& of) const override {
    const int64_t m = spec_.m, n = spec_.n, k = spec_.k, rows = part_.rows, columns = part_.columns;
    if (form_ == Form::sums_of_column) kernels_.sums({of.b, of.a, 0, 1, m, 1, rows, k, of.result, rows, of.addend, nullptr});
    else
      kernels_.sums(
          {of.a, of.b, spec_.transpose_a ? 1 : k, spec_.transpose_a ? m : 1, n, rows, columns, k, of.result, n, of.addend, of.bias});
  }

  Form form_;
  const ThinKernels& kernels_;
};

}  // namespace

bool is_thin(const MatmulSpec& spec) { return form_of(spec) != Form::none; }

Answer thin_answer(const MatmulSpec&, const Slice&) { return {thin_kernels().name, 0}; }

std::unique_ptr<ProductSlice> thin_product(const MatmulSpec& spec, const Slice& part, int64_t) {
  return std::make_unique<ThinProduct>(spec, part);
}

}  // namespace weft::cpu
