#include "weft/ir/ops/contraction.h"

#include <algorithm>

#include "weft/backends/reference/heavy.h"

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
Tensor oriented(const Tensor& x, bool transpose) { return transpose ? permuted(x, matrix_transposition(x.type.shape.rank())) : x; }

Tensor product(const MatrixProduct& p, const Tensor& a, const Tensor& b) {
  Dims shape = batch_axes(a.type.shape);
  shape.insert(shape.end(), {p.m, p.n});
  Tensor c(ir::Type{a.type.dtype, Shape(shape)});
  for (int64_t i = 0; i < p.batch; ++i) {
    const auto run = [&](const auto& x, const auto& y, auto& z) {
      multiply(x.data() + i * p.m * p.k, y.data() + i * p.k * p.n, z.data() + i * p.m * p.n, p.m, p.k, p.n);
    };
    if (is_floating(c.type.dtype)) run(a.real, b.real, c.real);
    else run(a.integer, b.integer, c.integer);
  }
  for (int64_t& x : c.integer) x = wrapped(c.type.dtype, x);
  return c;
}

}  // namespace

std::vector<Tensor> matmul(const ir::Op& op, Operands operands) {
  const MatrixProduct p = ir::matrix_product_of(op);
  Tensor result = product(p, oriented(*operands[0], p.transpose_a), oriented(*operands[1], p.transpose_b));
  if (op.bodies().empty()) return {std::move(result)};
  std::vector<const Tensor*> inputs{&result};
  inputs.insert(inputs.end(), operands.begin() + 2, operands.end());
  return run(op.body(), inputs);
}

}  // namespace weft::reference
