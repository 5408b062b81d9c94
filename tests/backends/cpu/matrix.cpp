#include "weft/tests/backends/cpu/matrix.h"

#include <cmath>

#include "weft/tests/catch.h"

namespace weft::test {

Matrix::Matrix(int64_t m, int64_t n, bool transposed, int64_t gap, uint32_t seed)
    : rows(m), columns(n), row(transposed ? 1 : n + gap), column(transposed ? m + gap : 1),
      memory(static_cast<size_t>(2 * margin + (transposed ? n * column : m * row)), std::numeric_limits<float>::quiet_NaN()) {
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) {
      seed = seed * 1664525u + 1013904223u;
      at(i, j) = static_cast<float>(seed >> 8) * 0x1p-23f - 1;
    }
}

void check_product(const ProductForm& f, const Multiply& multiply) {
  INFO("[" << f.m << "," << f.k << "]" << (f.transpose_a ? "'" : "") << " x [" << f.k << "," << f.n << "]" << (f.transpose_b ? "'" : "")
           << ", gap " << f.gap << ", behind " << static_cast<int>(f.behind));
  const Matrix a(f.m, f.k, f.transpose_a, f.gap, 1), b(f.k, f.n, f.transpose_b, f.gap, 2), bias(1, f.n, false, 0, 3),
      addend(f.m, f.n, false, f.gap, 4);
  const Matrix before = f.behind == Behind::in_place ? addend : Matrix(f.m, f.n, false, f.gap, 5);
  Matrix result = before;
  multiply(a, b, f.behind == Behind::bias ? bias.data() : nullptr,
           f.behind == Behind::addend     ? addend.data()
           : f.behind == Behind::in_place ? result.data()
                                          : nullptr,
           result);
  bool right = true, in_place = true;
  for (int64_t i = 0; i < f.m; ++i)
    for (int64_t j = 0; j < f.n; ++j) {
      double want = f.behind == Behind::bias ? bias.at(0, j) : f.behind == Behind::nothing ? 0 : addend.at(i, j), sum = std::abs(want);
      for (int64_t p = 0; p < f.k; ++p) {
        const double product = static_cast<double>(a.at(i, p)) * b.at(p, j);
        want += product, sum += std::abs(product);
      }
      // Of each addition, half a unit of a partial sum.
      right = right && std::abs(result.at(i, j) - want) <= 0x1p-24 * static_cast<double>(f.k + 2) * sum;
      result.at(i, j) = before.at(i, j);
    }
  for (size_t i = 0; i < result.memory.size(); ++i)
    in_place = in_place && (result.memory[i] == before.memory[i] || (std::isnan(result.memory[i]) && std::isnan(before.memory[i])));
  CHECK(right);
  CHECK(in_place);
}

std::vector<float> run_product(cpu::MatmulSpec spec, int64_t slices) {
  spec.slices = slices;
  const auto some = [](int64_t count, int step) {
    std::vector<float> all;
    for (int64_t i = 0; i < count; ++i) all.push_back(static_cast<float>((i * step) % 23) / 7 - 1.5f);
    return all;
  };
  std::vector<float> a = some(spec.batch * spec.m * spec.k, 5), b = some(spec.batch * spec.k * spec.n, 11),
                     further = some(spec.bias ? spec.n : spec.batch * spec.m * spec.n, 3),
                     result(static_cast<size_t>(spec.batch * spec.m * spec.n));
  const auto task = cpu::make_matmul(spec, 0);
  const auto bytes = [](std::vector<float>& v) { return reinterpret_cast<std::byte*>(v.data()); };
  task->buffers[0] = bytes(a), task->buffers[1] = bytes(b), task->buffers[spec.result_buffer()] = bytes(result);
  if (spec.bias || spec.addend) task->buffers[2] = bytes(further);
  task->rebound();
  REQUIRE(task->run(0, task->units()) == 0);
  return result;
}

}  // namespace weft::test
