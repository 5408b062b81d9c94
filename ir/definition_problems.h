#pragma once
// What is wrong with a definition, each in a sentence; nothing where it is as it must be.

#include <string>
#include <vector>

#include "weft/ir/op_def.h"

namespace weft::ir {

/// Of the definition as it stands: everything is documented, it has what its kind computes by and nothing of another kind's, and a
/// gradient or a reason why not.
std::vector<std::string> problems_of(const OpDef& def);

/// The same of an op that a program registers: also that it is of a kind that can be, that its name is one of the text form, and that
/// its rules fit each other, as far as a small call (ir/sample.h) shows it.
std::vector<std::string> problems_of_a_programs_op(const OpDef& def);

}  // namespace weft::ir
