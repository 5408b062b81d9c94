#pragma once
// From a planned graph to what is launched: the half of a backend's compiler that all backends share.

#include <string>

#include "weft/ir/module.h"
#include "weft/passes/target.h"
#include "weft/runtime/launch_list.h"
#include "weft/support/memory.h"

namespace weft::program {

/// The other half: what a backend makes of an op.
class Lowering {
 public:
  virtual ~Lowering() = default;

  struct Made {
    std::string name;  // the kernel's, or the library's for its implementation of the call; may be empty
    size_t buffers;    // that it takes: operands, then results
  };
  /// Both are called in the order of the launches, once for each. `op` is a heavy op that the target claims; throws weft::Error
  /// for what its library refuses.
  virtual Made call(const ir::Op& op) = 0;
  /// `op` is a loop nest or a launch of several.
  virtual Made kernel(const ir::Op& op) = 0;
};

/// Throws weft::Error unless the module has been planned for the target and holds what it says (passes/lowered.h): a text may have
/// been edited; and OutOfMemory when its arena is more than the process may have.
void require_planned(const ir::Module& module, const passes::Target& target);

/// Everything but what carries the launches out. `module` is planned. Throws weft::Error naming the op and its line.
LaunchList launches_of(const ir::Module& module, const passes::Target& target, Lowering& lowering);

/// Says how large the arena is, and which values are its largest, with their lines.
OutOfMemory no_arena(const ir::Module& module, const passes::Target& target);

}  // namespace weft::program
