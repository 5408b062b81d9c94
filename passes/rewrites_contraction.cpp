// Equations of contractions.

#include "weft/passes/rewrites.h"

namespace weft::passes {
namespace {

using ir::Builder;
using ir::Op;
using ir::Value;

bool swaps_last_two(const Op& op) {
  const Dims& p = op.dims("permutation");
  const size_t rank = p.size();
  if (rank < 2) return false;
  for (size_t d = 0; d + 2 < rank; ++d)
    if (p[d] != static_cast<int64_t>(d)) return false;
  return p[rank - 2] == static_cast<int64_t>(rank - 1);
}

/// matmul reads either operand transposed at no cost.
Value transposed_operand(Builder& b, const Op& op) {
  if (!op.bodies().empty()) return {};
  Value operands[] = {op.operand(0), op.operand(1)};
  bool flags[] = {op.flag("transpose_a"), op.flag("transpose_b")};
  bool changed = false;
  for (int i = 0; i < 2; ++i) {
    if (operands[i].is_input() || !operands[i].op()->is("transpose") || !swaps_last_two(*operands[i].op())) continue;
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
  if (v.is_input() || !v.op()->is("matmul") || !v.op()->bodies().empty() || !swaps_last_two(op)) return {};
  if (v.users().size() != 1 || v.graph()->is_output(v)) return {};
  const Op& m = *v.op();
  return b("matmul", {m.operand(1), m.operand(0)}, {{"transpose_a", !m.flag("transpose_b")}, {"transpose_b", !m.flag("transpose_a")}});
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
