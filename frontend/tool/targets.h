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

/// What --autocast and --memory-limit were given, and the instruction set that weft compile's --machine keeps to.
struct TargetChoice {
  std::string autocast;      // empty: none
  int64_t memory_limit = 0;  // bytes; 0: none
  std::string max_isa = {};  // of the cpu; empty: what this machine has

  /// As options on a command line, with a blank before each.
  std::string text() const;
  bool operator==(const TargetChoice&) const = default;
};
/// Adds both options.
void add_target_options(CLI::App& command, TargetChoice& choice);
/// Throws weft::Error where one was given and its pass is none of those that run.
void require_target_options(const TargetChoice& choice, const std::vector<std::string>& passes);

/// The target to use for a module: `asked`, or when that is empty the module's own, or the CPU. Throws weft::Error for an unknown name, for
/// a target other than the one that the module's passes have asked so far, and for a choice that the target has not.
std::shared_ptr<const passes::Target> target_for(const ir::Module& module, const std::string& asked, const TargetChoice& choice = {});

}  // namespace weft::tool
