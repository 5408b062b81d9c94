#pragma once
// The op `with_gradient`: values whose gradient is what its body makes of it.
//
//   %y = with_gradient(%x0, %x) {results = 1, of = [1]} : f32[8] {
//     input %g: f32[8]                the gradient of each result
//     input %y: f32[8]                the results, then the operands behind those that they are
//     input %x: f32[8]
//     %clamped = ...
//     output %clamped                 the gradient of each operand that `of` names
//   }
//
// The results are the first `results` operands, to which no gradient flows. A body captures nothing: what else it reads is an operand.

#include "weft/ir/builder.h"

namespace weft::ir {

/// May the op have a body that says what its gradient is?
bool has_gradient_body(const OpDef& def);

Op& make_with_gradient(Builder& builder, std::vector<Value> operands, int64_t results, Dims of, std::unique_ptr<Graph> body);

}  // namespace weft::ir
