#pragma once
// What an attention op says of itself.

#include "weft/ir/op_def.h"
#include "weft/support/attention.h"

namespace weft::ir {

/// Of attention and attention_gradient.
Attention attention_of(const Op& op);
bool is_attention_gradient(const Op& op);
/// The mask among its operands; null: none.
Value attention_mask_of(const Op& op);

}  // namespace weft::ir
