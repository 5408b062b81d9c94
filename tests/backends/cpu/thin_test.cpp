// Products of which one extent is short: right in every form, with nothing read or written beside the operands and the result.

#include "weft/backends/cpu/exec/isa.h"
#include "weft/backends/cpu/exec/matmul.h"
#include "weft/backends/cpu/exec/product_slice.h"
#include "weft/backends/cpu/exec/thin_kernels.h"
#include "weft/tests/backends/cpu/matrix.h"
#include "weft/tests/catch.h"

using namespace weft;
using test::Matrix, test::Behind;

namespace {

/// Of each instruction set that this machine has.
std::vector<const cpu::ThinKernels*> all_kernels() {
  std::vector<const cpu::ThinKernels*> all{&cpu::sse4_thin_kernels};
  if (cpu::has_isa("avx2")) all.push_back(&cpu::avx2_thin_kernels);
  if (cpu::has_isa("avx512")) all.push_back(&cpu::avx512_thin_kernels);
  return all;
}

constexpr Behind all_behind[] = {Behind::nothing, Behind::bias, Behind::addend, Behind::in_place};

void sums(const cpu::ThinKernels& kernels, int64_t m, int64_t n, int64_t k, bool transpose_a, int64_t gap, Behind behind) {
  test::check_product({m, n, k, transpose_a, false, gap, behind},
                      [&](const Matrix& a, const Matrix& b, const float* bias, const float* addend, Matrix& result) {
                        kernels.sums({a.data(), b.data(), a.row, a.column, b.row, m, n, k, result.data(), result.row, addend, bias});
                      });
}

}  // namespace

TEST_CASE("thin products: few rows across the sums, or sums of few products", "[thin]") {
  for (const cpu::ThinKernels* kernels : all_kernels())
    for (const Behind behind : all_behind)
      for (const bool transpose_a : {false, true})
        for (int64_t n : {1, 3, 4, 7, 8, 15, 16, 17, 40, 1030}) {
          for (int64_t m : {1, 2, 3, 4, 5, 9})
            for (int64_t k : {1, 2, 3, 4, 5, 8, 21}) sums(*kernels, m, n, k, transpose_a, (m + n) % 2 * 3, behind);
        }
}

TEST_CASE("thin products: each slice has the bits that the whole product has", "[thin]") {
  for (const auto& [m, n, k, transpose_a, transpose_b] :
       std::vector<std::tuple<int64_t, int64_t, int64_t, bool, bool>>{{2, 100, 60, false, false},
                                                                      {2, 100, 60, true, false},
                                                                      {90, 110, 5, true, false},
                                                                      {90, 110, 1, false, true},
                                                                      {300, 1, 70, true, false}})
    for (int behind = 0; behind < 3; ++behind) {
      const cpu::MatmulSpec spec{
          {{.batch = 1, .m = m, .n = n, .k = k, .transpose_a = transpose_a, .transpose_b = transpose_b}, f32, behind == 1, behind == 2}};
      INFO(m << " x " << n << " x " << k << ", " << behind);
      if (n == 1 && transpose_a && spec.bias) continue;  // the library's
      REQUIRE(cpu::is_thin(spec));
      const std::vector<float> whole = test::run_product(spec, 1);
      for (int64_t slices : {2, 3, 5}) CHECK(test::run_product(spec, slices) == whole);
    }
}

TEST_CASE("thin products: which are", "[thin]") {
  const auto thin = [](int64_t m, int64_t n, int64_t k, bool transpose_a, bool transpose_b) {
    return cpu::is_thin({{{.m = m, .n = n, .k = k, .transpose_a = transpose_a, .transpose_b = transpose_b}, f32}});
  };
  // Of a layer of 784 to 512 its input's gradient, and its weight's, for a batch of 1 and of 32.
  CHECK(thin(1, 784, 512, false, false));
  CHECK(thin(512, 784, 1, true, false));
  CHECK(!thin(32, 784, 512, false, false));
  CHECK(!thin(512, 784, 32, true, false));
  CHECK(thin(4096, 1, 64, true, false));
  CHECK(!cpu::is_thin({{{.m = 1, .n = 784, .k = 512}, bf16}}));
  CHECK(cpu::matmul_answer({{{.m = 1, .n = 784, .k = 512}, f32}}).implementation.ends_with(":thin"));
}

TEST_CASE("thin products: threads share what takes long to read", "[thin]") {
  const auto slices = [](int64_t m, int64_t n, int64_t k) {
    return cpu::useful_slices({{{.m = m, .n = n, .k = k, .transpose_b = true}, f32}}, 2);
  };
  CHECK(slices(1, 512, 512) == 2);  // 1 MB, of 0.5 MFLOP
  CHECK(slices(1, 64, 64) == 1);
}
