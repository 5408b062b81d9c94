#pragma once
// Attention and its gradient in blocks of queries and keys: of the weights no more than a block is ever there.

#include <memory>
#include <string>
#include <vector>

#include "weft/backends/cpu/exec/attention_rows.h"
#include "weft/backends/cpu/exec/task.h"
#include "weft/support/attention.h"
#include "weft/support/strided_view.h"

namespace weft::cpu {

/// Of f32, with no extent of 0.
struct AttentionSpec : Attention {
  bool is_gradient = false;
  /// Parts, of some heads of keys each, that threads compute on their own.
  int64_t slices = 1;
  ScoreMask mask = ScoreMask::none;
  /// Where q, k, v, of a gradient g, then its results dq, dk, dv, or the one result lie: [..., rows, width],
  /// each row in one piece, and those of a head behind each other.
  std::vector<StridedView> places = {};
  /// Elements between neighbours along the mask's axes; 0 along those that are stretched.
  Dims mask_strides = {};

  /// Do the mask's strides fit, of a mask that lies in one piece, and the places?
  bool has_valid_mask() const;
  bool has_valid_places() const;
  /// Bytes that are touched of each buffer but the scratch memory.
  Dims bytes() const;
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
