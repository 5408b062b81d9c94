#pragma once
// Matrices amid others, and products of them: right, with nothing read or written beside the operands and the result.

#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

#include "weft/backends/cpu/exec/matmul.h"

namespace weft::test {

/// Element (i, j) lies at [i * row + j * column], and nan before, behind and between its lines.
struct Matrix {
  int64_t rows, columns, row, column;
  std::vector<float> memory;

  static constexpr int64_t margin = 24;  // more than what a tile reads at once

  Matrix(int64_t m, int64_t n, bool transposed, int64_t gap, uint32_t seed);
  float& at(int64_t i, int64_t j) { return memory[static_cast<size_t>(margin + i * row + j * column)]; }
  float at(int64_t i, int64_t j) const { return memory[static_cast<size_t>(margin + i * row + j * column)]; }
  float* data() { return memory.data() + margin; }
  const float* data() const { return memory.data() + margin; }
};

/// What is added to a product.
enum class Behind { nothing, bias, addend, in_place };

struct ProductForm {
  int64_t m, n, k;
  bool transpose_a = false, transpose_b = false;
  int64_t gap = 0;  // elements between the matrices' lines
  Behind behind = Behind::nothing;
};

/// Null for a bias or an addend that there is not; the addend lies as the result, which it may be.
using Multiply = std::function<void(const Matrix& a, const Matrix& b, const float* bias, const float* addend, Matrix& result)>;

/// Checks what `multiply` computes against sums in double.
void check_product(const ProductForm& form, const Multiply& multiply);

/// What the product of some numbers is as a task of so many slices.
std::vector<float> run_product(cpu::MatmulSpec spec, int64_t slices);

}  // namespace weft::test
