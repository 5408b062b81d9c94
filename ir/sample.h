#pragma once
// A small call of an op, for people to look at.

#include <optional>

#include "weft/ir/module.h"
#include "weft/ir/op_def.h"

namespace weft::ir {

/// A graph of this one op on small operands that its definition accepts, found by trying; none when nothing fits.
std::optional<Module> sample_call(const OpDef& def);

}  // namespace weft::ir
