#include "weft/backends/cuda/heavy.h"

#include <algorithm>

#include "weft/backends/cuda/kernels/attention.h"
#include "weft/backends/cuda/kernels/convolution.h"
#include "weft/backends/cuda/kernels/indexing.h"
#include "weft/backends/cuda/kernels/matmul.h"
#include "weft/backends/cuda/product_epilogue.h"
#include "weft/ir/op_def.h"

namespace weft::cuda {
namespace {

template <Wanted wanted>
constexpr HeavyOp convolution_row(std::string_view name) {
  return {.name = name,
          .claims = claims_convolution<wanted>,
          .layouts = convolution_layouts<wanted>,
          .scratch_bytes = convolution_scratch_bytes<wanted>,
          .emit = emit_convolution<wanted>,
          .describe = describe_convolution<wanted>};
}

constexpr HeavyOp rows[] = {
    {.name = "matmul",
     .claims = claims_matmul,
     .accepts_epilogue = accepts_matmul_epilogue,
     .activations = activations_of,
     .scratch_bytes = matmul_scratch_bytes,
     .emit = emit_matmul,
     .describe = describe_matmul,
     .measured = product_spec_of},
    convolution_row<Wanted::y>("convolution"),
    convolution_row<Wanted::x>("convolution_data"),
    convolution_row<Wanted::w>("convolution_weight"),
    {.name = "attention",
     .claims = claims_attention,
     .scratch_bytes = attention_scratch_bytes,
     .emit = emit_attention,
     .describe = describe_attention},
    {.name = "attention_gradient", .claims = claims_attention, .emit = emit_attention_gradient},
    {.name = "gather", .emit = emit_gather},
    {.name = "scatter_add", .scratch_bytes = scatter_add_scratch_bytes, .emit = emit_scatter_add},
    {.name = "scatter_rows", .emit = emit_scatter_rows},
    {.name = "coalesce", .scratch_bytes = coalesce_scratch_bytes, .emit = emit_coalesce},
};

}  // namespace

std::span<const HeavyOp> heavy_ops() { return rows; }

const HeavyOp* find_heavy(const ir::Op& op) {
  const auto* found = std::find_if(std::begin(rows), std::end(rows), [&](const HeavyOp& row) { return row.name == op.name(); });
  return found == std::end(rows) ? nullptr : found;
}

}  // namespace weft::cuda
