// Products by our own tiles: against sums in double, with nothing read or written beside the operands and the result.

#include <algorithm>
#include <cmath>
#include <limits>

#include "weft/backends/cpu/exec/gemm.h"
#include "weft/backends/cpu/exec/isa.h"
#include "weft/backends/cpu/exec/matmul.h"
#include "weft/tests/backends/cpu/matrix.h"
#include "weft/tests/catch.h"

using namespace weft;
using cpu::Gemm;
using test::Matrix, test::Behind;

namespace {

constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();

void check_product(const cpu::GemmKernels& kernels, int64_t m, int64_t n, int64_t k, bool transpose_a, bool transpose_b, int64_t gap,
                   Behind behind) {
  test::check_product({m, n, k, transpose_a, transpose_b, gap, behind},
                      [&](const Matrix& a, const Matrix& b, const float* bias, const float* addend, Matrix& result) {
                        const Gemm gemm(kernels, {m, n, k, a.row, a.column, b.row, b.column, result.row});
                        std::vector<float> scratch(static_cast<size_t>(gemm.scratch_bytes()) / sizeof(float) + 8, nan_value);
                        std::fill_n(scratch.end() - 8, 8, -7.0f);  // behind what it asked for
                        gemm.run(a.data(), b.data(), bias, addend, result.data(), scratch.data());
                        CHECK(std::all_of(scratch.end() - 8, scratch.end(), [](float x) { return x == -7.0f; }));
                      });
}

/// Of each instruction set that this machine has.
std::vector<const cpu::GemmKernels*> all_kernels() {
  std::vector<const cpu::GemmKernels*> all;
  if (cpu::has_isa("avx2")) all.push_back(&cpu::avx2_gemm_kernels);
  else WARN("this machine has no AVX2: nothing is tested");
  if (cpu::has_isa("avx512")) all.push_back(&cpu::avx512_gemm_kernels);
  return all;
}

bool are_tiled() {
  if (cpu::gemm_kernels()) return true;
  WARN("here the library multiplies: nothing is tested");
  return false;
}

}  // namespace

TEST_CASE("gemm: products of any extents, lying any way, are right and touch nothing else", "[gemm]") {
  for (const cpu::GemmKernels* kernels : all_kernels())
    for (int64_t m : {1, 2, 3, 4, 5, 6, 7, 13, 33, 70})
      for (int64_t n : {1, 2, 7, 8, 9, 15, 16, 17, 40})
        for (int64_t k : {1, 2, 7, 8, 9, 31})
          for (int flags = 0; flags < 4; ++flags)
            for (int64_t gap : {0, 3})
              check_product(*kernels, m, n, k, flags % 2 != 0, flags > 1, gap, static_cast<Behind>((m + n + k) % 4));
}

TEST_CASE("gemm: with a bias and an addend, in place or not, of every kind of tile", "[gemm]") {
  for (const cpu::GemmKernels* kernels : all_kernels())
    for (const Behind behind : {Behind::nothing, Behind::bias, Behind::addend, Behind::in_place})
      for (int64_t m = 1; m <= kernels->lines + 2; ++m)
        for (int64_t n = 1; n <= kernels->panel + 2; ++n)
          for (int flags = 0; flags < 4; ++flags) check_product(*kernels, m, n, 5, flags % 2 != 0, flags > 1, 1, behind);
}

TEST_CASE("gemm: of more than one block along each axis", "[gemm]") {
  for (const cpu::GemmKernels* kernels : all_kernels())
    for (const auto& [m, n, k] : {std::tuple<int64_t, int64_t, int64_t>{200, 20, 10},
                                  {20, 530, 10},
                                  {530, 20, 10},
                                  {9, 20, 300},
                                  {10, 64, 784},
                                  {395, 17, 257},
                                  {64, 517, 513},
                                  {9, 20, 1100},
                                  {60, 140, 1030},
                                  {30, 70, 2050}})
      for (int flags = 0; flags < 4; ++flags)
        for (const Behind behind : {Behind::bias, Behind::in_place}) check_product(*kernels, m, n, k, flags % 2 != 0, flags > 1, 0, behind);
}

TEST_CASE("gemm: the most scratch memory of any product is enough for each", "[gemm]") {
  for (const cpu::GemmKernels* kernels : all_kernels())
    for (int64_t m : {1, 7, 64, 300, 5000})
      for (int64_t n : {1, 33, 200, 4096})
        for (int64_t k : {1, 8, 60, 256, 700, 1025, 1500, 9000})
          for (int flags = 0; flags < 4; ++flags) {
            const bool transpose_a = flags % 2 != 0, transpose_b = flags > 1;
            const Gemm gemm(*kernels, {m, n, k, transpose_a ? 1 : k, transpose_a ? m : 1, transpose_b ? 1 : n, transpose_b ? k : 1, n});
            INFO(m << " x " << n << " x " << k << ", " << flags);
            CHECK(gemm.scratch_bytes() <= Gemm::most_scratch_bytes(*kernels, m, n, k));
          }
}

TEST_CASE("gemm: large products are tiles' as long as an extent is short, or the library is no better", "[gemm]") {
  CHECK(Gemm::suits(cpu::avx512_gemm_kernels, 64, 512, 4096));
  CHECK(Gemm::suits(cpu::avx512_gemm_kernels, 2048, 64, 2048));
  CHECK(Gemm::suits(cpu::avx512_gemm_kernels, 512, 4096, 64));
  CHECK(Gemm::suits(cpu::avx512_gemm_kernels, 256, 256, 256));
  CHECK_FALSE(Gemm::suits(cpu::avx512_gemm_kernels, 256, 2048, 2048));
  CHECK(Gemm::suits(cpu::avx2_gemm_kernels, 256, 2048, 2048));
  CHECK_FALSE(Gemm::suits(cpu::avx2_gemm_kernels, 1, 2048, 2048));
}

TEST_CASE("gemm: sums of few products are tiles' where the result is small or wide", "[gemm]") {
  CHECK(Gemm::suits(cpu::avx512_gemm_kernels, 32, 64, 4));
  CHECK(Gemm::suits(cpu::avx512_gemm_kernels, 64, 4096, 4));
  CHECK_FALSE(Gemm::suits(cpu::avx512_gemm_kernels, 1024, 256, 4));
  CHECK(Gemm::suits(cpu::avx2_gemm_kernels, 1024, 256, 4));
}

TEST_CASE("gemm: infinities and nans reach those elements alone that they belong to", "[gemm]") {
  for (const cpu::GemmKernels* kernels : all_kernels())
    for (int flags = 0; flags < 4; ++flags) {
      Matrix a(13, 20, flags % 2 != 0, 0, 1), b(20, 21, flags > 1, 0, 2), result(13, 21, false, 0, 3);
      a.at(5, 3) = std::numeric_limits<float>::infinity(), b.at(7, 20) = nan_value;
      const Gemm gemm(*kernels, {13, 21, 20, a.row, a.column, b.row, b.column, result.row});
      std::vector<float> scratch(static_cast<size_t>(gemm.scratch_bytes()) / sizeof(float));
      gemm.run(a.data(), b.data(), nullptr, nullptr, result.data(), scratch.data());
      for (int64_t i = 0; i < 13; ++i)
        for (int64_t j = 0; j < 21; ++j) {
          INFO(flags << ": " << i << ", " << j);
          CHECK(std::isfinite(result.at(i, j)) == (i != 5 && j != 20));
          CHECK(std::isnan(result.at(i, j)) == (j == 20));
        }
    }
}

TEST_CASE("gemm: a task says that tiles compute it, and a vector's product is another's", "[gemm]") {
  if (!are_tiled()) return;
  const cpu::MatmulSpec spec{{{.batch = 3, .m = 40, .n = 50, .k = 60}, f32, true, false}, 2};
  const cpu::Answer answer = cpu::matmul_answer(spec);
  CHECK(answer.implementation == cpu::gemm_kernels()->name);
  CHECK(cpu::make_matmul(spec, answer.scratch_bytes)->implementation == answer.implementation);
  CHECK(cpu::matmul_answer({{{.m = 1, .n = 50, .k = 60}, f32}}).implementation != cpu::gemm_kernels()->name);
}

TEST_CASE("gemm: a task that was planned with too little scratch memory, or with none, has its own", "[gemm]") {
  if (!are_tiled()) return;
  const cpu::MatmulSpec spec{{{.m = 64, .n = 48, .k = 40, .transpose_b = true}, f32}, 2};
  std::vector<std::byte> a(64 * 40 * 4), b(48 * 40 * 4);
  for (size_t i = 0; i < a.size(); ++i) a[i] = static_cast<std::byte>(i % 4 == 3 ? 0x3e : i % 7);
  for (size_t i = 0; i < b.size(); ++i) b[i] = static_cast<std::byte>(i % 4 == 3 ? 0x3e : i % 5);
  std::vector<std::vector<std::byte>> results;
  for (const int64_t planned : {cpu::matmul_answer(spec).scratch_bytes, int64_t{64}, int64_t{0}}) {
    std::vector<std::byte>& result = results.emplace_back(64 * 48 * 4);
    std::vector<std::byte> scratch(static_cast<size_t>(planned));
    const auto task = cpu::make_matmul(spec, planned);
    task->buffers[0] = a.data(), task->buffers[1] = b.data(), task->buffers[2] = result.data();
    CHECK(task->buffers.size() == (planned > 0 ? 4 : 3));
    if (planned > 0) task->buffers[3] = scratch.data();
    task->rebound();
    CHECK(task->run(0, task->units()) == 0);
    CHECK((task->own_scratch_bytes > 0) == (planned <= 64));
  }
  CHECK(results[1] == results[0]);
  CHECK(results[2] == results[0]);
}
