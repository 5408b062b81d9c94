#include "weft/backends/program/attention.h"

#include <algorithm>

#include "weft/ir/ops/attention.h"

namespace weft::program {

AttentionCall attention_call_of(const ir::Op& op) {
  AttentionCall call{ir::attention_of(op)};
  call.is_gradient = ir::is_attention_gradient(op);
  call.dtype = op.operand(0).dtype();
  for (int i = 0; i < static_cast<int>(call.operand_places()); ++i) call.places.push_back(ir::attention_operand(op, i));
  for (int i = 0; i < (call.is_gradient ? 3 : 1); ++i) call.places.push_back(ir::attention_result(op, i));
  const ir::Value mask = ir::attention_mask_of(op);
  if (!mask) return call;
  call.mask = mask.dtype() == boolean ? ScoreMask::boolean : ScoreMask::number;
  call.mask_strides = mask.shape().strides();
  for (int axis = 0; axis < mask.shape().rank(); ++axis)
    if (mask.shape()[axis] == 1) call.mask_strides[static_cast<size_t>(axis)] = 0;
  return call;
}

bool is_attention_call(const ir::Op& op) {
  const AttentionCall a = attention_call_of(op);
  return std::min({a.heads(), a.queries, a.keys, a.width, a.value_width}) > 0 && a.has_valid_places();
}

}  // namespace weft::program
