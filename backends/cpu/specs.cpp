#include "weft/backends/cpu/specs.h"

#include "weft/backends/program/attention.h"
#include "weft/backends/program/epilogue.h"
#include "weft/ir/op_def.h"
#include "weft/ir/ops/sort.h"

namespace weft::cpu {

using ir::Op;

MatmulSpec matmul_spec(const Op& op) { return {program::product_of(op), op.integer("slices")}; }

AttentionSpec attention_spec(const Op& op) { return {program::attention_call_of(op), op.integer("slices")}; }

SortSpec sort_spec(const Op& op) {
  const Shape& x = op.operand(0).shape();
  const ir::SortedPart part = ir::sorted_part(op);
  SortSpec spec;
  spec.dtype = op.operand(0).dtype();
  if (op.result(0).shape().numel() == 0) spec.outer = spec.inner = 0;  // extents beside an empty one may have any product
  for (int d = 0; d < part.axis && spec.outer > 0; ++d) spec.outer *= x[d];
  for (int d = part.axis + 1; d < x.rank() && spec.inner > 0; ++d) spec.inner *= x[d];
  spec.extent = x[part.axis];
  spec.start = part.start, spec.count = part.count, spec.descending = part.descending;
  spec.slices = op.integer("slices");
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
