#pragma once
// Makes every output that replaces an input the result of an op that may write over it.
//
// An output that is an input, a constant, a view, another output's value or read along with the old one gets a `copy`. So does
// every other output that lies in an input's memory, being an input, a view of one or what replaces one: what is there may be
// another's by the time that it is read. Then the ops are sorted so that every reader of an old value comes before its writer.
// Updates in a circle, which trade places say, read a copy of one old value.
//
// Runs after simplification, since it adds what that would look through.

#include "weft/ir/module.h"

namespace weft::passes {

bool updates(ir::Module& module);

}  // namespace weft::passes
