#pragma once
// A smaller program of which something still holds: that it fails, say.

#include <functional>

#include "weft/ir/module.h"

namespace weft::passes {

struct ShrinkOptions {
  int attempts = 500;  // smaller programs that are looked at, at most
};

/// Drops outputs, the train block or what it says, has outputs be what their ops read (the loss a sum of it), and takes out ops, whose
/// results become inputs or values of the same type that they follow from: many at once first, then one by one, as long as `holds` says so
/// of what is left. Then makes extents small. `holds` must hold of the module; every module that it is given verifies, and has neither ops
/// nor inputs that nobody needs.
ir::Module shrink(const ir::Module& module, const std::function<bool(const ir::Module&)>& holds, const ShrinkOptions& options = {});

}  // namespace weft::passes
