#pragma once
// Calls that compute attention or its gradient: what the descriptors of all backends say of it.

#include <string_view>
#include <vector>

#include "weft/runtime/call_descriptor.h"
#include "weft/support/attention.h"
#include "weft/support/score_mask.h"
#include "weft/support/strided_view.h"

namespace weft {

/// With no extent of 0.
struct AttentionCall : Attention {
  bool is_gradient = false;
  DType dtype = f32;  // of all but the rows' numbers and a mask of bool
  ScoreMask mask = ScoreMask::none;
  /// Where q, k, v, of a gradient g, then its results dq, dk, dv, or the one result lie: [..., rows, width],
  /// each row in one piece, and those of a head behind each other.
  std::vector<StridedView> places = {};
  /// Elements between neighbours along the mask's axes; 0 along those that are stretched.
  Dims mask_strides = {};

  size_t operand_places() const { return is_gradient ? 4 : 3; }
  /// Of lse and delta, which are a number for each query.
  DType row_dtype() const { return computed_in(dtype); }
  /// Do the mask's strides fit, of a mask that lies in one piece, and the places?
  bool has_valid_mask() const;
  bool has_valid_places() const;
  /// Bytes that are touched of each buffer but the scratch memory: operands, then results, in the op's order.
  Dims bytes() const;
};

/// "attention" or "attention_gradient"
std::string_view call_name(const AttentionCall& attention);
/// All but the element type, of which a backend may have only one.
void add_fields(CallDescriptor& call, const AttentionCall& attention);
/// What add_fields() writes; the element type is the given one. Throws weft::Error for fields that no call of weft has.
void read_fields(const CallDescriptor& call, AttentionCall& attention);

}  // namespace weft
