#include "weft/passes/isolate.h"

#include "weft/passes/fuse.h"

namespace weft::passes {

bool isolate(ir::Module& module) { return fuse(module.graph(), nullptr, Merge::nowhere); }

}  // namespace weft::passes
