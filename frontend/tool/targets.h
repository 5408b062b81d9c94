#pragma once
// The targets that the program knows by name.

#include <memory>
#include <string>

#include "weft/ir/module.h"
#include "weft/passes/target.h"

namespace weft::tool {

/// The target to use for a module: `asked`, or when that is empty the module's own, or the CPU. Throws weft::Error for
/// an unknown name, and for a target other than the one that the module's passes have asked so far.
std::shared_ptr<const passes::Target> target_for(const ir::Module& module, const std::string& asked);

}  // namespace weft::tool
