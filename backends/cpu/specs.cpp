#include "weft/backends/cpu/specs.h"

#include "weft/backends/program/epilogue.h"
#include "weft/ir/op_def.h"
#include "weft/ir/ops/contraction.h"

namespace weft::cpu {

using ir::Op;

MatmulSpec matmul_spec(const Op& op) {
  MatmulSpec spec{ir::matrix_product_of(op), op.operand(0).dtype()};
  spec.slices = op.integer("slices");
  const program::Epilogue epilogue = program::epilogue_of(op);
  spec.bias = epilogue.bias.has_value(), spec.addend = epilogue.addend.has_value();
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
