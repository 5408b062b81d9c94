#include "weft/passes/simplify.h"

#include "weft/passes/cse.h"
#include "weft/passes/dce.h"
#include "weft/passes/fold.h"

namespace weft::passes {

bool simplify(ir::Module& module, const OnRewrite& on_rewrite) {
  bool any = false;
  for (;;) {
    bool changed = canonicalize(module, on_rewrite);
    changed |= fold(module);
    changed |= cse(module);
    changed |= dce(module);
    if (!changed) return any;
    any = true;
  }
}

}  // namespace weft::passes
