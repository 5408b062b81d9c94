#pragma once
// Attention and its gradient in blocks of queries and keys: of the weights no more than a block is ever there.

#include <memory>
#include <string>

#include "weft/backends/cpu/exec/task.h"
#include "weft/runtime/attention_call.h"

namespace weft::cpu {

/// Of f32.
struct AttentionSpec : AttentionCall {
  /// Parts, of some heads of keys each, that threads compute on their own.
  int64_t slices = 1;
};

/// How many slices are worth their threads on `cores` cores.
int64_t useful_slices(const AttentionSpec& spec, int cores);
int64_t attention_scratch_bytes(const AttentionSpec& spec);
/// What multiplies the blocks.
std::string attention_implementation();

/// buffers: q, k, v, (mask,) result, lse; of the gradient q, k, v, g, lse, delta, (mask,) dq, dk, dv; then scratch if `scratch_bytes`
/// is not 0, else the task has its own.
std::unique_ptr<Task> make_attention(const AttentionSpec& spec, int64_t scratch_bytes);

}  // namespace weft::cpu
