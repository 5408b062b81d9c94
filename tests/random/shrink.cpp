#include "weft/passes/shrink.h"
#include "weft/tests/random/check.h"

namespace weft::test {

ir::Module shrink(const ir::Module& module, uint64_t seed, const Fault& fault) {
  return passes::shrink(module, [&](const ir::Module& smaller) {
    const auto found = find_fault(smaller, seed);
    return found && found->kind == fault.kind;
  });
}

}  // namespace weft::test
