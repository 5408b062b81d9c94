// Products of bf16 in parts: each part is the same part of the whole, however the operands lie.

#include <array>
#include <cmath>

#include "weft/backends/cpu/exec/matmul.h"
#include "weft/backends/cpu/exec/slices.h"
#include "weft/runtime/array.h"
#include "weft/tests/catch.h"

using namespace weft;

namespace {

Array filled(int64_t count, int64_t seed) {
  Array a(bf16, {count});
  for (int64_t i = 0; i < count; ++i) a.set(i, static_cast<double>((i * 37 + seed * 11) % 17 - 8) / 8);  // exact
  return a;
}

/// What the task gives; the planned scratch memory, or its own.
Array product(const cpu::MatmulSpec& s, Array& a, Array& b, Array& further, bool planned) {
  const int64_t bytes = planned ? cpu::matmul_answer(s).scratch_bytes : 0;
  const auto task = cpu::make_matmul(s, bytes);
  Array result(bf16, {s.batch * s.m * s.n}), scratch(u8, {bytes});
  task->buffers = {a.data(), b.data()};
  if (s.bias || s.addend) task->buffers.push_back(further.data());
  task->buffers.push_back(result.data());
  if (bytes > 0) task->buffers.push_back(scratch.data());
  task->rebound();
  REQUIRE(task->run(0, s.slices) == 0);
  return result;
}

double expected(const cpu::MatmulSpec& s, const Array& a, const Array& b, const Array& further, int64_t i) {
  const int64_t batch = i / (s.m * s.n), row = i / s.n % s.m, column = i % s.n;
  double sum = s.bias ? further.at(column) : s.addend ? further.at(i) : 0;
  for (int64_t k = 0; k < s.k; ++k)
    sum += a.at(batch * s.m * s.k + (s.transpose_a ? k * s.m + row : row * s.k + k)) *
           b.at(batch * s.k * s.n + (s.transpose_b ? column * s.k + k : k * s.n + column));
  return sum;
}

}  // namespace

TEST_CASE("library: a product of bf16 in parts is the whole one, with a transposed operand too", "[library]") {
  if (!cpu::supports_matmul(bf16)) return;
  for (const auto& [batch, m, n, k] : {std::array<int64_t, 4>{1, 96, 48, 40}, {1, 40, 160, 24}, {1, 64, 64, 7}, {3, 32, 16, 8}})
    for (const int64_t slices : {1, 2, 3})
      for (int bits = 0; bits < 16; ++bits) {
        cpu::MatmulSpec s;
        s.batch = batch, s.m = m, s.n = n, s.k = k, s.dtype = bf16, s.slices = slices;
        s.transpose_a = bits & 1, s.transpose_b = bits & 2;
        s.bias = (bits & 12) == 4, s.addend = (bits & 12) == 8;
        if ((bits & 12) == 12 || static_cast<int64_t>(cpu::slices_of(s).size()) != slices) continue;
        INFO(batch << " of " << m << "x" << n << "x" << k << " in " << slices << ", " << bits);
        Array a = filled(batch * m * k, 1), b = filled(batch * k * n, 2), further = filled(s.bias ? n : batch * m * n, 3);
        for (const bool planned : {false, true}) {
          const Array got = product(s, a, b, further, planned);
          double worst = 0;
          for (int64_t i = 0; i < got.shape().numel(); ++i) {
            const double want = expected(s, a, b, further, i);
            worst = std::max(worst, std::abs(got.at(i) - want) - std::abs(want) / 256);
          }
          CHECK(worst <= 1e-3);
        }
      }
}
