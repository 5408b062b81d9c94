#pragma once
// The op `scan`: a body that runs once for each step of a sequence.
//
//   h, hs = scan(h0, xs, w) {carried = 1, sliced = 1, length = 64} : f32[32,128], f32[64,32,128] {
//     input %h: f32[32,128]          carried: h0 in the first step, then what the step before made of it
//     input %x: f32[32,16]           sliced: step t sees xs[t]
//     input %w: f32[144,128]         the same in every step
//     ...
//     output %next aliases %h        the carried values' successors
//     output %next                   stacked: hs[t]
//   }
//
// Results are the carried values after the last step, then the stacked ones. With `reverse` the steps go from the last slice to the
// first. What is carried has one type; nothing else of a step is seen by another.
//
// Passes work on a body as on a program of its own, whose state is what is carried (passes/pass.h). Two attributes are theirs:
// `placed`, once the body has one input more for each stacked output, which that replaces: the slice that it is written to; and
// `scratch`, once the body is planned: the bytes of its arena, which the op has as a last result.

#include "weft/ir/op_def.h"

namespace weft::ir {

struct Scan {
  int64_t length = 0;
  bool reverse = false;
  bool placed = false;
  int carried = 0, sliced = 0, constant = 0;  // operands, in this order
  int stacked = 0;                            // results, behind the carried ones

  int operands() const { return carried + sliced + constant; }
  bool is_carried(int operand) const { return operand < carried; }
  bool is_sliced(int operand) const { return operand >= carried && operand < carried + sliced; }
  /// Which slice the step of this number, from 0, sees and makes.
  int64_t slice_of(int64_t step) const { return reverse ? length - 1 - step : step; }
};

Scan scan_of(const Op& op);
bool is_loop(const Op& op);

/// The type of one slice along the first axis, and of `length` of them.
Type slice_of(const Type& stacked);
Type stacked_of(const Type& slice, int64_t length);

/// The `scan` of this body, whose first `carried` outputs alias its first inputs; its length is that of what is sliced.
Op& make_scan(Builder& builder, std::vector<Value> operands, int64_t carried, int64_t sliced, int64_t length, bool reverse,
              std::unique_ptr<Graph> body);

}  // namespace weft::ir
