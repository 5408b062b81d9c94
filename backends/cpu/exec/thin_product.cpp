#include <algorithm>

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
  dots,
  sums,
  sums_of_column,  // of the transposed product: the result is a column, and a the operand that is read in order
};

/// On a Xeon with AVX-512 up to here no slower than tiles, of 512 x 784 weights: dots of 8 rows take 0.5 of their time (12 rows 0.7, 16
/// as long), of one row 0.26 of the library's; sums of 2 rows 0.76 (4 rows 1.3); 8 products a sum 0.76 (12 take 1.6), one 0.27 of the
/// library's time. With AVX2 likewise.
constexpr int64_t few_dots = 8, few_rows = 2, few_products = 8;

Form form_of(const MatmulSpec& s) {
  if (s.dtype != f32) return Form::none;
  const bool a_along_k = !s.transpose_a || s.m == 1, b_along_k = s.transpose_b || s.n == 1, b_along_n = !s.transpose_b || s.k == 1;
  if (a_along_k && b_along_k && std::min(s.m, s.n) <= few_dots) return Form::dots;
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
    if (form_ == Form::dots && rows <= columns)
      kernels_.dots({of.a, of.b, k, k, rows, columns, k, of.result, n, 1, of.addend, of.bias, 0, 1});
    else if (form_ == Form::dots) kernels_.dots({of.b, of.a, k, k, columns, rows, k, of.result, 1, n, of.addend, of.bias, 1, 0});
    else if (form_ == Form::sums_of_column) kernels_.sums({of.b, of.a, 0, 1, m, 1, rows, k, of.result, rows, of.addend, nullptr});
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
