// Equations of contractions.

#include "weft/ir/ops/contraction.h"
#include "weft/passes/rewrites.h"

namespace weft::passes {
namespace {

using ir::Builder;
using ir::Op;
using ir::Value;

bool transposes_matrices(const Op& op) {
  const int rank = op.result().shape().rank();
  return rank >= 2 && op.dims("permutation") == matrix_transposition(rank);
}

/// matmul reads either operand transposed at no cost.
Value transposed_operand(Builder& b, const Op& op) {
  if (!op.bodies().empty()) return {};
  Value operands[] = {op.operand(0), op.operand(1)};
  const MatrixProduct p = matrix_product_of(op);
  bool flags[] = {p.transpose_a, p.transpose_b};
  bool changed = false;
  for (int i = 0; i < 2; ++i) {
    if (operands[i].is_input() || !operands[i].op()->is("transpose") || !transposes_matrices(*operands[i].op())) continue;
    operands[i] = operands[i].op()->operand(0);
    flags[i] = !flags[i];
    changed = true;
  }
  if (!changed) return {};
  return b("matmul", {operands[0], operands[1]}, {{"transpose_a", flags[0]}, {"transpose_b", flags[1]}});
}

/// (A B)^T = B^T A^T.
Value transposed_product(Builder& b, const Op& op) {
  const Value v = op.operand(0);
  if (v.is_input() || !v.op()->is("matmul") || !v.op()->bodies().empty() || !transposes_matrices(op)) return {};
  if (v.users().size() != 1 || v.graph()->is_output(v)) return {};
  const MatrixProduct p = matrix_product_of(*v.op());
  return b("matmul", {v.op()->operand(1), v.op()->operand(0)}, {{"transpose_a", !p.transpose_b}, {"transpose_b", !p.transpose_a}});
}

}  // namespace

const std::vector<Rewrite>& contraction_rewrites() {
  static const std::vector<Rewrite> rows = {
      {"matmul", "matmul(x^T, y) = matmul(x, y) {transpose_a}", transposed_operand},
      {"transpose", "matmul(x, y)^T = matmul(y, x), both transposed", transposed_product},
  };
  return rows;
}

}  // namespace weft::passes
