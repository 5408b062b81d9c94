#pragma once
// What a call of attention is: extents, and where its operands and results lie.

#include <vector>

#include "weft/backends/cpu/exec/attention_rows.h"
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

}  // namespace weft::cpu
