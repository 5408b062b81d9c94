#pragma once
// Attention and its gradient in blocks of queries and keys: of the weights no more than a block is ever there.

#include <memory>
#include <string>

#include "weft/backends/cpu/exec/attention_spec.h"
#include "weft/backends/cpu/exec/task.h"

namespace weft::cpu {

/// How many slices are worth their threads on `cores` cores.
int64_t useful_slices(const AttentionSpec& spec, int cores);
int64_t attention_scratch_bytes(const AttentionSpec& spec);
/// What multiplies the blocks.
std::string attention_implementation();

/// buffers: q, k, v, (mask,) result, lse; of the gradient q, k, v, g, lse, delta, (mask,) dq, dk, dv; then scratch if `scratch_bytes`
/// is not 0, else the task has its own.
std::unique_ptr<Task> make_attention(const AttentionSpec& spec, int64_t scratch_bytes);

}  // namespace weft::cpu
