#pragma once
// What an attention op says of itself.

#include "weft/ir/op_def.h"
#include "weft/support/attention.h"
#include "weft/support/strided_view.h"

namespace weft::ir {

/// Of attention and attention_gradient.
Attention attention_of(const Op& op);
bool is_attention_gradient(const Op& op);
/// How operand i is read, and how result i is written.
StridedView attention_operand(const Op& op, int i);
StridedView attention_result(const Op& op, int i);
/// The mask among its operands; null: none.
Value attention_mask_of(const Op& op);

}  // namespace weft::ir
