#include <algorithm>

#include "weft/backends/cpu/exec/isa.h"
#include "weft/backends/cpu/exec/product_slice.h"
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

class ThinProduct final : public ProductSlice {
 public:
  ThinProduct(const MatmulSpec& spec, const Slice& part) : spec_(spec), part_(part), form_(form_of(spec)) {}

  int64_t scratch_bytes() const override { return 0; }
  std::string implementation() const override { return thin_kernels().name; }

  void bind(const std::vector<std::byte*>& buffers) override {
    const auto floats = [&](size_t buffer) { return reinterpret_cast<float*>(buffers[buffer]); };
    const size_t result = spec_.result_buffer();
    a_ = floats(0) + part_.batch * spec_.m * spec_.k + part_.m * (spec_.transpose_a ? 1 : spec_.k);
    b_ = floats(1) + part_.batch * spec_.k * spec_.n + part_.n * (spec_.transpose_b ? spec_.k : 1);
    const int64_t first = part_.batch * spec_.m * spec_.n + part_.m * spec_.n + part_.n;
    bias_ = spec_.bias ? floats(2) + part_.n : nullptr;
    addend_ = spec_.addend ? floats(2) + first : nullptr;
    result_ = floats(result) + first;
  }

  int run() const override {
    for (int64_t i = 0; i < part_.batches; ++i) {
      const int64_t at = i * spec_.m * spec_.n;
      const float *a = a_ + i * spec_.m * spec_.k, *b = b_ + i * spec_.k * spec_.n, *addend = addend_ ? addend_ + at : nullptr;
      if (form_ == Form::dots) run_dots(a, b, addend, result_ + at);
      else run_sums(a, b, addend, result_ + at);
    }
    return 0;
  }

 private:
  void run_dots(const float* a, const float* b, const float* addend, float* result) const {
    const int64_t k = spec_.k, n = spec_.n;
    if (part_.rows <= part_.columns) thin_kernels().dots({a, b, k, k, part_.rows, part_.columns, k, result, n, 1, addend, bias_, 0, 1});
    else thin_kernels().dots({b, a, k, k, part_.columns, part_.rows, k, result, 1, n, addend, bias_, 1, 0});
  }

  void run_sums(const float* a, const float* b, const float* addend, float* result) const {
    const int64_t m = spec_.m, n = spec_.n, k = spec_.k;
    if (form_ == Form::sums_of_column) return thin_kernels().sums({b, a, 0, 1, m, 1, part_.rows, k, result, part_.rows, addend, nullptr});
    const int64_t a_row = spec_.transpose_a ? 1 : k, a_column = spec_.transpose_a ? m : 1;
    thin_kernels().sums({a, b, a_row, a_column, n, part_.rows, part_.columns, k, result, n, addend, bias_});
  }

  MatmulSpec spec_;
  Slice part_;
  Form form_;
  const float *a_ = nullptr, *b_ = nullptr, *bias_ = nullptr, *addend_ = nullptr;
  float* result_ = nullptr;
};

}  // namespace

bool is_thin(const MatmulSpec& spec) { return form_of(spec) != Form::none; }

std::unique_ptr<ProductSlice> thin_product(const MatmulSpec& spec, const Slice& part) { return std::make_unique<ThinProduct>(spec, part); }

}  // namespace weft::cpu
