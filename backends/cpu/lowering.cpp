#include "weft/backends/cpu/lowering.h"

#include "weft/ir/op_def.h"

namespace weft::cpu {
namespace {

using ir::Op;

}  // namespace

MatmulSpec matmul_spec(const Op& op) {
  const Shape &a = op.operand(0).shape(), &b = op.operand(1).shape();
  const int r = a.rank();
  MatmulSpec spec;
  spec.dtype = op.operand(0).dtype();
  spec.transpose_a = op.flag("transpose_a");
  spec.transpose_b = op.flag("transpose_b");
  // Extents beside an empty one may have any product.
  if (op.result().shape().numel() == 0) spec.batch = 0;
  for (int d = 0; d < r - 2 && spec.batch > 0; ++d) spec.batch *= a[d];
  spec.m = a[spec.transpose_a ? r - 1 : r - 2];
  spec.k = a[spec.transpose_a ? r - 2 : r - 1];
  spec.n = b[spec.transpose_b ? r - 2 : r - 1];
  spec.slices = op.integer("slices");
  if (!op.bodies().empty()) {
    const auto epilogue = epilogue_of(op.body());
    WEFT_CHECK(epilogue, "oneDNN cannot run this epilogue");
    spec.bias = epilogue->bias.has_value();
    spec.addend = epilogue->addend.has_value();
  }
  return spec;
}

bool is_convolution(const Op& op) { return op.is("convolution") || op.is("convolution_data") || op.is("convolution_weight"); }

ConvolutionSpec convolution_spec(const Op& op) {
  using Wanted = ConvolutionSpec::Wanted;
  const bool weight = op.is("convolution_weight");
  return convolution_spec(ir::convolution_of(op), weight ? Wanted::w : op.is("convolution") ? Wanted::y : Wanted::x,
                          op.integer(weight ? "parts" : "slices"));
}

ConvolutionSpec convolution_spec(const ir::Convolution& c, ConvolutionSpec::Wanted wanted, int64_t slices) {
  return {.wanted = wanted, .x = c.x.dims(), .w = c.w.dims(), .y = c.y.dims(),
          .groups = c.groups, .stride = c.stride, .low = c.low, .high = c.high, .dilation = c.dilation,
          .x_layout = c.x_layout.text(), .w_layout = c.w_layout.text(), .y_layout = c.y_layout.text(),
          .slices = slices};
}

IndexingSpec indexing_spec(const Op& op) {
  const bool coalesces = op.is("coalesce");
  const Shape &x = op.operand(coalesces ? 1 : 0).shape(), &index = op.operand(coalesces ? 0 : 1).shape();
  const int axis = op.def().attribute_index("axis") < 0 ? 0 : static_cast<int>(op.integer("axis"));
  IndexingSpec spec;
  spec.dtype = op.result().dtype();
  if (op.result().shape().numel() == 0) spec.outer = spec.inner = 0;  // extents beside an empty one may have any product
  for (int d = 0; d < axis && spec.outer > 0; ++d) spec.outer *= x[d];
  for (int d = coalesces ? index.rank() : axis + 1; d < x.rank() && spec.inner > 0; ++d) spec.inner *= x[d];
  if (!coalesces) spec.extent = x[axis];
  spec.count = index.numel();
  return spec;
}

std::unique_ptr<Task> lower_heavy(const Op& op) {
  if (op.is("matmul")) return make_matmul(matmul_spec(op), op.integer("scratch"));
  if (is_convolution(op)) return make_convolution(convolution_spec(op), op.integer("scratch"));
  if (op.is("gather")) return make_gather(indexing_spec(op));
  if (op.is("scatter_add")) return make_scatter_add(indexing_spec(op), op.integer("scratch"));
  if (op.is("scatter_rows")) return make_scatter_rows(indexing_spec(op));
  if (op.is("coalesce")) return make_coalesce(indexing_spec(op), op.integer("scratch"));
  throw Error("the cpu backend cannot run {}, at {}", op.name(), to_string(op.locations()));
}

std::string describe(const Op& op, const std::string& kernel, const std::string& implementation) {
  std::string text = kernel.empty() ? std::string(op.name()) : kernel;
  for (size_t i = 0; i < op.operands().size(); ++i) text += (i ? ", " : " (") + to_string(op.operands()[i].type());
  text += op.operands().empty() ? " (" : "";
  text += ") ->";
  for (ir::Value v : op.results()) text += " " + to_string(v.type());
  if (!implementation.empty()) text += "  by " + implementation;
  return text + "  # " + to_string(op.locations());
}

}  // namespace weft::cpu
