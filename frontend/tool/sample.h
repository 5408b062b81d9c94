#pragma once
// A small call of an op, for people to look at.

#include <optional>

#include "weft/ir/module.h"
#include "weft/ir/op_def.h"

namespace weft::tool {

/// A graph of this one op on small operands that its definition accepts, found by trying; none when nothing fits.
std::optional<ir::Module> sample_call(const ir::OpDef& def);

}  // namespace weft::tool
