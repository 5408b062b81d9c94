// Products whose operands both lie along the sums: right, with nothing read or written beside the operands and the result.

#include "weft/backends/cpu/exec/dots_kernels.h"
#include "weft/backends/cpu/exec/isa.h"
#include "weft/backends/cpu/exec/matmul.h"
#include "weft/backends/cpu/exec/product_slice.h"
#include "weft/tests/backends/cpu/matrix.h"
#include "weft/tests/catch.h"

using namespace weft;
using test::Matrix, test::Behind;

namespace {

/// Of each instruction set that this machine has.
std::vector<const cpu::DotsKernels*> all_kernels() {
  std::vector<const cpu::DotsKernels*> all{&cpu::sse4_dots_kernels};
  if (cpu::has_isa("avx2")) all.push_back(&cpu::avx2_dots_kernels);
  if (cpu::has_isa("avx512")) all.push_back(&cpu::avx512_dots_kernels);
  return all;
}

constexpr Behind all_behind[] = {Behind::nothing, Behind::bias, Behind::addend, Behind::in_place};

/// a's rows are the few.
void dots(const cpu::DotsKernels& kernels, int64_t m, int64_t n, int64_t k, int64_t gap, Behind behind) {
  test::check_product({m, n, k, false, true, gap, behind},
                      [&](const Matrix& a, const Matrix& b, const float* bias, const float* addend, Matrix& result) {
                        kernels.dots({a.data(), b.data(), a.row, b.column, m, n, k, result.data(), result.row, 1, addend, bias, 0, 1});
                      });
}

/// b's columns are.
void dots_of_columns(const cpu::DotsKernels& kernels, int64_t m, int64_t n, int64_t k, int64_t gap, Behind behind) {
  test::check_product({m, n, k, false, true, gap, behind},
                      [&](const Matrix& a, const Matrix& b, const float* bias, const float* addend, Matrix& result) {
                        kernels.dots({b.data(), a.data(), b.column, a.row, n, m, k, result.data(), 1, result.row, addend, bias, 1, 0});
                      });
}

}  // namespace

TEST_CASE("dots: right, with any number of rows of either operand", "[dots]") {
  for (const cpu::DotsKernels* kernels : all_kernels())
    for (int64_t few : {1, 2, 3, 4, 5, 6, 7, 8, 9})
      for (int64_t many : {1, 2, 3, 4, 5, 6, 7, 9, 11, 33})
        for (int64_t k : {1, 2, 3, 4, 7, 8, 15, 16, 17, 31, 32, 50})
          for (int64_t gap : {0, 3}) {
            const Behind behind = all_behind[(few + many + k) % 4];
            dots(*kernels, few, many, k, gap, behind), dots_of_columns(*kernels, many, few, k, gap, behind);
          }
}

TEST_CASE("dots: long sums in blocks, and blocks of rows", "[dots]") {
  for (const cpu::DotsKernels* kernels : all_kernels())
    for (const Behind behind : all_behind) {
      dots(*kernels, 5, 7, 1024, 0, behind), dots(*kernels, 5, 7, 1025, 3, behind), dots(*kernels, 3, 2, 2100, 0, behind);
      dots_of_columns(*kernels, 9, 6, 1500, 0, behind);
      // Blocks of 64 rows, or some more.
      dots(*kernels, 150, 5, 1000, 0, behind), dots_of_columns(*kernels, 13, 133, 1030, 0, behind);
    }
}

TEST_CASE("dots: each slice has the bits that the whole product has", "[dots]") {
  struct Form {
    int64_t m, n, k;
    bool transpose_b = true;
  };
  for (const Form& f : {Form{1, 100, 60}, {8, 77, 19}, {90, 3, 40}, {200, 1, 33, false}, {32, 33, 784}, {61, 20, 2100}})
    for (int behind = 0; behind < 3; ++behind) {
      const cpu::MatmulSpec spec{{{.m = f.m, .n = f.n, .k = f.k, .transpose_b = f.transpose_b}, f32, behind == 1, behind == 2}};
      INFO(f.m << " x " << f.n << " x " << f.k << ", " << behind);
      if (std::min(f.m, f.n) > 8 && cpu::library_isa() == "sse4") continue;  // the library's
      REQUIRE(cpu::is_dots(spec));
      const std::vector<float> whole = test::run_product(spec, 1);
      for (int64_t slices : {2, 3, 5}) CHECK(test::run_product(spec, slices) == whole);
    }
}

TEST_CASE("dots: which products are", "[dots]") {
  const auto dots = [](int64_t m, int64_t n, int64_t k, bool transpose_a = false, bool transpose_b = true) {
    return cpu::is_dots({{{.m = m, .n = n, .k = k, .transpose_a = transpose_a, .transpose_b = transpose_b}, f32}});
  };
  // A layer of 784 to 512, for a batch of 1 and of 64: there a copy of one operand is used often enough.
  CHECK(dots(1, 512, 784));
  CHECK(!dots(64, 512, 784));
  // An operand that lies across the sums.
  CHECK(!dots(8, 512, 784, false, false));
  CHECK(!dots(8, 512, 784, true));
  CHECK(dots(4096, 1, 64, false, false));
  CHECK(!cpu::is_dots({{{.m = 1, .n = 512, .k = 784, .transpose_b = true}, bf16}}));
  CHECK(cpu::matmul_answer({{{.m = 1, .n = 512, .k = 784, .transpose_b = true}, f32}}).implementation.ends_with(":dots"));
  if (cpu::library_isa() == "sse4") return;  // no tiles to be better than
  CHECK(dots(32, 32, 784));
  CHECK(dots(64, 10, 512));
  CHECK(!dots(32, 128, 54));
}
