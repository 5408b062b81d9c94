// Products of matrices as generated kernels: the sum of each element's products in ascending order, whatever the tile.

#include <algorithm>
#include <cmath>

#include "weft/backends/cuda/cuda.h"
#include "weft/backends/cuda/kernels/matmul.h"
#include "weft/ir/op_def.h"
#include "weft/ir/ops/contraction.h"
#include "weft/tests/backends/cuda/heavy_run.h"
#include "weft/tests/backends/cuda/ptxas.h"
#include "weft/tests/backends/epilogues.h"
#include "weft/tests/catch.h"
#include "weft/tests/ptx/machine.h"

using namespace weft;
using reference::Tensor;
using testing::Sample;

namespace {

Sample product(DType dtype, Dims batch, int64_t m, int64_t k, int64_t n, bool transpose_a = false, bool transpose_b = false) {
  Dims a = batch, b = batch;
  a.insert(a.end(), {transpose_a ? k : m, transpose_a ? m : k});
  b.insert(b.end(), {transpose_b ? n : k, transpose_b ? k : n});
  return {"matmul", {{dtype, Shape(a)}, {dtype, Shape(b)}}, {{"transpose_a", transpose_a}, {"transpose_b", transpose_b}}};
}

double multiply_add(DType dtype, double a, double b, double sum) {
  if (dtype == f64) return std::fma(a, b, sum);
  return std::fma(static_cast<float>(a), static_cast<float>(b), static_cast<float>(sum));
}

/// Of floating types: what the kernels say that they compute, `part` products after each other.
Tensor chained(const ir::Op& op, const Tensor& a, const Tensor& b, int64_t part) {
  const MatrixProduct p = ir::matrix_product_of(op);
  Tensor c(op.result().type());
  for (int64_t i = 0; i < p.batch * p.m * p.n; ++i) {
    const int64_t n = i % p.n, m = i / p.n % p.m, batch = i / p.n / p.m;
    double all = 0;
    for (int64_t first = 0; first < p.k; first += part) {
      double sum = 0;
      for (int64_t k = first; k < std::min(p.k, first + part); ++k) {
        const int64_t in_a = batch * p.m * p.k + (p.transpose_a ? k * p.m + m : m * p.k + k);
        const int64_t in_b = batch * p.k * p.n + (p.transpose_b ? n * p.k + k : k * p.n + n);
        sum = multiply_add(c.type.dtype, a.real[static_cast<size_t>(in_a)], b.real[static_cast<size_t>(in_b)], sum);
      }
      all = multiply_add(c.type.dtype, 1, sum, all);
    }
    c.real[static_cast<size_t>(i)] = all;
  }
  return c;
}

/// The exact bits, by the tile that the product chooses or by a given one.
void check_product(const Sample& sample, uint64_t seed = 0, const test::HeavyRun::Emit& emit = {}) {
  INFO(testing::to_string(sample));
  const test::HeavyRun run(sample, "sm_90", emit);
  const std::vector<Tensor> operands = testing::values_of(sample);
  const Tensor want = is_floating(sample.operands[0].dtype) ? chained(run.op(), operands[0], operands[1], int64_t{1} << 30)
                                                            : reference::evaluate(testing::module_of(sample).graph(), operands)[0];
  CHECK(run.bytes(operands, {.seed = seed}) == test::memory_of(want));
}

test::HeavyRun::Emit with_tile(const cuda::ProductTile& tile) {
  return [tile](llvm::Module& module, const ir::Op& op, const std::string& name) { return cuda::emit_matmul(module, op, name, tile); };
}

/// Each product and each sum rounds to f32, and the result to its type: n roundings of sums that are no larger than that of magnitudes.
void check_within_bound(const test::HeavyRun& run, const Sample& sample, uint64_t seed) {
  INFO(testing::to_string(sample));
  const std::vector<Tensor> operands = testing::values_of(sample);
  std::vector<Tensor> magnitudes = operands;
  for (Tensor& t : magnitudes)
    for (double& x : t.real) x = std::abs(x);
  const ir::Module module = testing::module_of(sample);
  const Tensor want = reference::evaluate(module.graph(), operands)[0], most = reference::evaluate(module.graph(), magnitudes)[0];
  const Tensor got = reference::from_memory(want.type, run.bytes(operands, {.seed = seed}).data());
  const auto terms = static_cast<double>(ir::matrix_product_of(run.op()).k);
  int wrong = 0;
  for (size_t e = 0; e < want.real.size(); ++e) {
    const double sum_error = (terms + 1) * 0x1p-24 * most.real[e];
    wrong += !(std::abs(got.real[e] - want.real[e]) <= sum_error + (std::abs(want.real[e]) + sum_error) * 0x1p-8);
  }
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("matmul kernels: all transpositions, types and batches", "[cuda][ptx-machine]") {
  for (const bool transpose_a : {false, true})
    for (const bool transpose_b : {false, true}) {
      for (const DType dtype : {f32, f64, f16, bf16, i64, i32, i16, i8, u32, u16, u8})
        check_product(product(dtype, {}, 18, 17, 33, transpose_a, transpose_b));
      check_product(product(f32, {2, 3}, 5, 20, 4, transpose_a, transpose_b), 3);
    }
}

TEST_CASE("matmul kernels: small and empty extents", "[cuda][ptx-machine]") {
  for (const int64_t extent : {1, 15, 16, 17, 65}) {
    check_product(product(f32, {}, extent, 16, 16));
    check_product(product(f32, {}, 16, extent, 16), 5);
    check_product(product(f32, {}, 16, 16, extent));
  }
  check_product(product(f32, {}, 3, 0, 5));
  check_product(product(f64, {2}, 1, 0, 1));
  check_product(product(i32, {0}, 3, 4, 5));
  check_product(product(f32, {}, 0, 4, 5));
  check_product(product(f32, {}, 3, 4, 0));
}

TEST_CASE("matmul kernels: extents beside those of every tile", "[cuda][ptx-machine]") {
  int turn = 0;
  for (const DType dtype : {f32, f64, bf16, u8})
    for (const cuda::ProductTile& t : cuda::product_tiles(dtype, false)) {
      INFO("tile of " << t.m << " by " << t.n << " by " << t.k);
      for (const int beside : dtype == f32 ? std::vector{-1, 0, 1} : std::vector{1}) {
        const bool transpose_a = turn % 2 == 1, transpose_b = turn / 2 % 2 == 1;
        const auto seed = static_cast<uint64_t>(turn++);
        check_product(product(dtype, {}, t.m + beside, t.k + beside, t.n + beside, transpose_a, transpose_b), seed, with_tile(t));
      }
      check_product(product(dtype, {2}, t.m, 2 * t.k + 1, 3), 1, with_tile(t));
    }
}

TEST_CASE("matmul kernels: matrix units", "[cuda][ptx-machine]") {
  int turn = 0;
  for (const cuda::ProductTile& t : cuda::product_tiles(bf16, true)) {
    if (!t.matrix_units) continue;
    INFO("tile of " << t.m << " by " << t.n << " by " << t.k);
    for (const bool transpose_a : {false, true})
      for (const bool transpose_b : {false, true}) {
        const int beside = turn++ % 3 - 1;
        const Sample sample = product(bf16, {}, t.m + beside, 2 * t.k + beside, t.n + beside, transpose_a, transpose_b);
        check_within_bound(test::HeavyRun(sample, "sm_80", with_tile(t)), sample, static_cast<uint64_t>(turn));
      }
    const Sample batched = product(bf16, {3}, 17, 16, t.n + 9);
    check_within_bound(test::HeavyRun(batched, "sm_80", with_tile(t)), batched, 0);
  }
  CHECK(turn == 12);
}

TEST_CASE("matmul kernels: matrix units only where there are some", "[cuda]") {
  const Sample sample = product(bf16, {}, 64, 64, 64);
  CHECK(test::HeavyRun(sample, "sm_90").text.find("mma.sync") != std::string::npos);
  CHECK(test::HeavyRun(sample, "sm_75").text.find("mma.sync") == std::string::npos);
  CHECK(test::HeavyRun(product(f32, {}, 64, 64, 64), "sm_90").text.find("mma.sync") == std::string::npos);
}

TEST_CASE("matmul kernels: infinities and nan go where their products go", "[cuda][ptx-machine]") {
  for (const DType dtype : {f32, f64, bf16}) {
    const Sample sample = product(dtype, {}, 35, 33, 37);
    INFO(testing::to_string(sample));
    std::vector<Tensor> operands = testing::values_of(sample);
    operands[0].real.back() = INFINITY, operands[0].real.front() = NAN;
    operands[1].real.back() = -INFINITY, operands[1].real[5] = INFINITY;
    const Tensor got = test::HeavyRun(sample).result(operands), want = reference::evaluate(testing::module_of(sample).graph(), operands)[0];
    int nans = 0;
    for (size_t e = 0; e < want.real.size(); ++e) {
      CHECK(std::isnan(got.real[e]) == std::isnan(want.real[e]));
      if (std::isinf(want.real[e])) CHECK(got.real[e] == want.real[e]);
      CHECK(std::isfinite(got.real[e]) == std::isfinite(want.real[e]));
      nans += std::isnan(want.real[e]);
    }
    CHECK(nans >= 37);
    CHECK(nans < 100);
  }
}

TEST_CASE("matmul kernels: the larger the product, the larger its tile", "[cuda]") {
  CHECK(cuda::tile_for({f32, 1, 4096, 4096, 9}, {true}).m == 128);
  CHECK(cuda::tile_for({f64, 1, 4096, 4096, 9}, {true}).m == 64);
  CHECK(cuda::tile_for({f32, 1, 64, 64, 9}, {true}).m == 16);
  CHECK(cuda::tile_for({f32, 256, 1, 100000, 9}, {true}).m == 4);
  CHECK(cuda::tile_for({f32, 256, 100000, 1, 9}, {true}).n == 4);
  CHECK(cuda::tile_for({bf16, 1, 4096, 4096, 64}, {true}).matrix_units);
  CHECK(!cuda::tile_for({bf16, 1, 4096, 4096, 64}, {}).matrix_units);
  CHECK(!cuda::tile_for({bf16, 1, 4096, 4096, 15}, {true}).matrix_units);
  for (const DType dtype : {f32, f64, bf16, i32})
    for (const cuda::ProductTile& t : cuda::product_tiles(dtype, true)) CHECK(t.threads() == 256);
}

TEST_CASE("matmul kernels: a long k is summed in parts where blocks are few", "[cuda][ptx-machine]") {
  const cuda::ProductMeans memory{.memory_for_parts = true};
  CHECK(cuda::tile_for({f32, 1, 64, 576, 65536}, memory).parts > 8);
  CHECK(cuda::tile_for({f32, 1, 64, 576, 65536}, {}).parts == 1);
  CHECK(cuda::tile_for({f32, 1, 4096, 4096, 4096}, memory).parts == 1);
  CHECK(cuda::tile_for({f32, 1, 64, 64, 300}, memory).parts == 1);
  CHECK(cuda::tile_for({i32, 1, 1, 1, 1 << 20}, memory).parts == 1);
  for (const int64_t parts : {1, 2, 7, 32})
    for (const int64_t k : {32, 1000, 65536}) CHECK(cuda::part_of(k, parts) * parts >= k);
  for (const DType dtype : {f32, f64})
    for (const int64_t k : {4096, 5000}) {
      const Sample sample = product(dtype, {2}, 5, k, 3, true);
      INFO(testing::to_string(sample));
      const test::HeavyRun run(sample, "sm_80");
      REQUIRE(run.launches().size() == 2);
      const int64_t part = cuda::part_of(k, cuda::tile_for({dtype, 2, 5, 3, k}, memory).parts);
      const std::vector<Tensor> operands = testing::values_of(sample);
      CHECK(run.bytes(operands, {.seed = 2}) == test::memory_of(chained(run.op(), operands[0], operands[1], part)));
    }
  const Sample narrow = product(bf16, {}, 17, 5000, 9, false, true);
  const test::HeavyRun run(narrow, "sm_80");
  REQUIRE(run.launches().size() == 2);
  check_within_bound(run, narrow, 1);
}

TEST_CASE("matmul kernels: ptxas keeps all in registers", "[cuda]") {
  if (const std::string why = test::why_no_ptxas(12.0); !why.empty()) {
    WARN("skipped: " << why);
    return;
  }
  for (const std::string arch : {"sm_80", "sm_90"}) {
    std::vector<std::string> texts;
    for (const DType dtype : {f32, f64, bf16, i64})
      for (const cuda::ProductTile& t : cuda::product_tiles(dtype, true)) {
        if (dtype == bf16 && !t.matrix_units) continue;
        const bool transposed = texts.size() % 2 == 1;
        texts.push_back(test::HeavyRun(product(dtype, {3}, 300, 70, 300, transposed, transposed), arch, with_tile(t)).text);
      }
    CHECK(test::on_stack(texts, arch) == "");
  }
}

TEST_CASE("matmul kernels: the machine notices what is wrong in them", "[cuda][ptx-machine]") {
  const Sample sample = product(f32, {}, 17, 33, 20);
  const std::vector<Tensor> operands = testing::values_of(sample);
  const test::HeavyRun run(sample);
  CHECK(run.fault_with("bar.sync", "bar.sync", operands) == "");
  CHECK_THAT(run.fault_with("bar.sync", "// bar.sync", operands), contains_text("nobody has written it"));
  // A column too many.
  CHECK(run.fault_with(", 20;", ", 21;", operands) != "");
}

TEST_CASE("matmul kernels: a product takes a bias or an addend", "[cuda]") { test::check_epilogues(cuda::target()); }
