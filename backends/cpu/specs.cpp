#include "weft/backends/cpu/specs.h"

#include "weft/ir/op_def.h"
#include "weft/ir/ops/contraction.h"

namespace weft::cpu {

using ir::Op;

std::optional<Epilogue> epilogue_of(const ir::Graph& body) {
  Epilogue result;
  const ir::Value product = body.input(0);
  ir::Value last = product;
  for (const auto& op : body.ops()) {
    if (op->def().broadcasts) {
      // Only a vector along the last axis, read by the addition that follows.
      const ir::Value vector = op->operand(0);
      if (!vector.is_input() || vector.shape().rank() != 1 || vector.shape()[0] != product.shape()[product.shape().rank() - 1])
        return std::nullopt;
    } else if (op->def().adds == 1 && last == product) {
      const ir::Value other = op->operand(0) == last ? op->operand(1) : op->operand(0);
      if (other == last || (op->operand(0) != last && op->operand(1) != last)) return std::nullopt;
      if (other.is_input()) result.addend = other.index();
      else if (other.op()->def().broadcasts) result.bias = other.op()->operand(0).index();
      else return std::nullopt;
      last = op->result();
    } else {
      // Not ReLU: oneDNN's turns nan into 0, which would hide a loss of numbers.
      return std::nullopt;
    }
  }
  // The call has room for one further operand.
  const size_t further = result.bias || result.addend ? 1 : 0;
  if (body.outputs().size() != 1 || body.outputs()[0].value != last || body.inputs().size() != 1 + further) return std::nullopt;
  return result;
}

MatmulSpec matmul_spec(const Op& op) {
  MatmulSpec spec{ir::matrix_product_of(op), op.operand(0).dtype()};
  spec.slices = op.integer("slices");
  if (!op.bodies().empty()) {
    const auto epilogue = epilogue_of(op.body());
    WEFT_CHECK(epilogue, "oneDNN cannot run this epilogue");
    spec.bias = epilogue->bias.has_value();
    spec.addend = epilogue->addend.has_value();
  }
  return spec;
}

IndexingSpec indexing_spec(const Op& op) {
  const Shape& x = op.operand(0).shape();
  const int axis = op.def().attribute_index("axis") < 0 ? 0 : static_cast<int>(op.integer("axis"));
  IndexingSpec spec;
  spec.dtype = op.result().dtype();
  if (op.result().shape().numel() == 0) spec.outer = spec.inner = 0;  // extents beside an empty one may have any product
  for (int d = 0; d < axis && spec.outer > 0; ++d) spec.outer *= x[d];
  for (int d = axis + 1; d < x.rank() && spec.inner > 0; ++d) spec.inner *= x[d];
  spec.extent = x[axis];
  spec.count = op.operand(1).shape().numel();
  return spec;
}

IndexingSpec coalesce_spec(const Op& op) {
  const Shape &index = op.operand(0).shape(), &rows = op.operand(1).shape();
  IndexingSpec spec;
  spec.dtype = op.result().dtype();
  if (op.result().shape().numel() == 0) spec.outer = spec.inner = 0;
  for (int d = index.rank(); d < rows.rank() && spec.inner > 0; ++d) spec.inner *= rows[d];
  spec.count = index.numel();
  return spec;
}

}  // namespace weft::cpu
