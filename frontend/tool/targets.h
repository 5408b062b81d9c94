#pragma once
// The targets that the program knows by name.

#include <memory>
#include <string>
#include <vector>

#include "weft/ir/module.h"
#include "weft/passes/target.h"

namespace CLI {
class App;
}

namespace weft::tool {

/// The target to use for a module: `asked`, or when that is empty the module's own, or the CPU; `autocast` is what --autocast was
/// given. Throws weft::Error for an unknown name, for a target other than the one that the module's passes have asked so far, and
/// for autocast to another type than bf16 or on a target that has none.
std::shared_ptr<const passes::Target> target_for(const ir::Module& module, const std::string& asked, const std::string& autocast = {});

/// Adds the option --autocast.
void add_autocast(CLI::App& command, std::string& autocast);
/// Throws weft::Error where it was given and the pass is none of those that run.
void require_autocast(const std::string& autocast, const std::vector<std::string>& passes);

}  // namespace weft::tool
