#pragma once
// Moves an activation, or the gradient of one, into the product before it: what `epilogue` does where many ops read the product.
//
//   %p = matmul(%x, %w)                  %y = matmul(%x, %w) { input %p; %y = %p * sigmoid(%p); output %y }
//   %y = %p * sigmoid(%p)     becomes
//
// Where anybody else reads %p, the gradient mostly, it is a second result; and the sum of %y over its rows, which is the gradient of a
// bias, is one where somebody wants it. The target says which activations its library has (Target::activations), and what of all this
// it takes (Target::accepts_epilogue). A view of the product moves behind.

#include "weft/ir/module.h"
#include "weft/passes/target.h"

namespace weft::passes {

/// `product` may have an epilogue already; it is gone, and replaced, where this returns true.
bool take_activation(ir::Op& product, const Target& target);

}  // namespace weft::passes
