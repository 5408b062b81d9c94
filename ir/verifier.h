#pragma once
// Checks what every stage must satisfy.

#include "weft/ir/module.h"

namespace weft::ir {

/// Operands defined before use and in the same graph; result types as the shape rules give them; bodies closed;
/// nothing reads scratch memory; input and output names unique; an aliased output has its input's type, and an input is aliased once.
/// Throws weft::Error naming the op, what is wrong and its source lines.
void verify(const Module& module);
void verify(const Graph& graph);

}  // namespace weft::ir
