#pragma once
// Attention ops as the calls that run them.

#include "weft/ir/graph.h"
#include "weft/runtime/attention_call.h"

namespace weft::program {

/// Of attention or attention_gradient.
AttentionCall attention_call_of(const ir::Op& op);
/// May there be such a call: with no extent of 0, and rows behind each other?
bool is_attention_call(const ir::Op& op);

}  // namespace weft::program
