#pragma once
// Moves elementwise ops into the library call that feeds them, while the product is still in registers.
//
//   %p = matmul(%x, %w)                             %y = matmul(%x, %w, %b) { input %p; input %b
//   %c = broadcast(%b)            becomes                    %c = broadcast(%b); %s = add(%p, %c); %r = relu(%s)
//   %s = add(%p, %c)                                         output %r }
//   %r = relu(%s)
//
// A product that is added to what it replaces is accumulated in place:
//
//   %n = add(%w, matmul(%x, %y)), output w = %n aliases %w    becomes    %n = matmul(%x, %y, %w) { add(%product, %w) }
//
// A view between the product and a vector that is added to it is moved behind the addition: a linear layer of [batch, tokens, n] has
// its bias there. Follows the product's only use as long as the target accepts the longer body; an activation that reads what it has
// got so far several times, or whose operand others read too, comes last (passes/activation.h). Runs before fusion, which would
// otherwise take the same ops into a kernel of its own.

#include "weft/ir/module.h"
#include "weft/passes/target.h"

namespace weft::passes {

bool epilogue(ir::Module& module, const Target& target);

}  // namespace weft::passes
