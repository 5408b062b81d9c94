#include "weft/backends/cuda/heavy.h"

#include <algorithm>

#include "weft/backends/cuda/kernels/matmul.h"
#include "weft/ir/op_def.h"

namespace weft::cuda {
namespace {

constexpr HeavyOp rows[] = {
    {"matmul", claims_matmul, nullptr, emit_matmul},
};

}  // namespace

std::span<const HeavyOp> heavy_ops() { return rows; }

const HeavyOp* find_heavy(const ir::Op& op) {
  const auto* found = std::find_if(std::begin(rows), std::end(rows), [&](const HeavyOp& row) { return row.name == op.name(); });
  return found == std::end(rows) ? nullptr : found;
}

}  // namespace weft::cuda
