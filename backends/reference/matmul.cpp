#include "weft/backends/reference/heavy.h"

#include <algorithm>
#include <functional>
#include <numeric>

namespace weft::reference {
namespace {

double multiply_add(double sum, double a, double b) { return sum + a * b; }
int64_t multiply_add(int64_t sum, int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(sum) + static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
}

/// c += a b of one batch, row-major. Some rows of b are used for all rows of a while they are in the cache; each
/// element of c still adds its products in ascending k.
template <class V>
void multiply(const V* a, const V* b, V* c, int64_t m, int64_t k, int64_t n) {
  constexpr int64_t rows = 32;
  for (int64_t first = 0; first < k; first += rows)
    for (int64_t i = 0; i < m; ++i)
      for (int64_t l = first; l < std::min(k, first + rows); ++l)
        for (int64_t j = 0; j < n; ++j) c[i * n + j] = multiply_add(c[i * n + j], a[i * k + l], b[l * n + j]);
}

/// x with its last two axes swapped, if asked for.
Tensor oriented(const Tensor& x, bool transpose) {
  if (!transpose) return x;
  Dims permutation(x.type.shape.dims().size());
  std::iota(permutation.begin(), permutation.end(), 0);
  std::swap(permutation.end()[-1], permutation.end()[-2]);
  return permuted(x, permutation);
}

Tensor product(const Tensor& a, const Tensor& b) {
  Dims shape = a.type.shape.dims();
  const int64_t m = shape.end()[-2], k = shape.end()[-1], n = b.type.shape.dims().back();
  shape.back() = n;
  Tensor c(ir::Type{a.type.dtype, Shape(shape)});
  const int64_t batches = std::accumulate(shape.begin(), shape.end() - 2, int64_t{1}, std::multiplies<>());
  for (int64_t i = 0; i < batches; ++i) {
    const auto run = [&](const auto& x, const auto& y, auto& z) {
      multiply(x.data() + i * m * k, y.data() + i * k * n, z.data() + i * m * n, m, k, n);
    };
    if (is_floating(c.type.dtype)) run(a.real, b.real, c.real);
    else run(a.integer, b.integer, c.integer);
  }
  for (int64_t& x : c.integer) x = wrapped(c.type.dtype, x);
  return c;
}

}  // namespace

Tensor matmul(const ir::Op& op, Operands operands) {
  const Tensor a = oriented(*operands[0], op.flag("transpose_a")), b = oriented(*operands[1], op.flag("transpose_b"));
  Tensor result = product(a, b);
  if (op.bodies().empty()) return result;
  std::vector<const Tensor*> inputs{&result};
  inputs.insert(inputs.end(), operands.begin() + 2, operands.end());
  return std::move(run(op.body(), inputs)[0]);
}

}  // namespace weft::reference
