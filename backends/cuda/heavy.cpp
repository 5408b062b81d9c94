#include "weft/backends/cuda/heavy.h"

#include <algorithm>

#include "weft/backends/cuda/kernels/convolution.h"
#include "weft/backends/cuda/kernels/indexing.h"
#include "weft/backends/cuda/kernels/matmul.h"
#include "weft/ir/op_def.h"

namespace weft::cuda {
namespace {

constexpr HeavyOp rows[] = {
    {"matmul", claims_matmul, matmul_scratch_bytes, emit_matmul},
    {"convolution", claims_convolution<Wanted::y>, convolution_scratch_bytes<Wanted::y>, emit_convolution<Wanted::y>},
    {"convolution_data", claims_convolution<Wanted::x>, convolution_scratch_bytes<Wanted::x>, emit_convolution<Wanted::x>},
    {"convolution_weight", claims_convolution<Wanted::w>, convolution_scratch_bytes<Wanted::w>, emit_convolution<Wanted::w>},
    {"gather", nullptr, nullptr, emit_gather},
    {"scatter_add", nullptr, scatter_add_scratch_bytes, emit_scatter_add},
    {"scatter_rows", nullptr, nullptr, emit_scatter_rows},
    {"coalesce", nullptr, coalesce_scratch_bytes, emit_coalesce},
};

}  // namespace

std::span<const HeavyOp> heavy_ops() { return rows; }

const HeavyOp* find_heavy(const ir::Op& op) {
  const auto* found = std::find_if(std::begin(rows), std::end(rows), [&](const HeavyOp& row) { return row.name == op.name(); });
  return found == std::end(rows) ? nullptr : found;
}

}  // namespace weft::cuda
