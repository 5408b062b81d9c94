#include "weft/frontend/tool/targets.h"

#include "weft/backends/cpu/cpu.h"
#include "weft/support/error.h"

namespace weft::tool {

const passes::Target& target_for(const ir::Module& module, const std::string& asked) {
  if (!asked.empty() && !module.target.empty() && asked != module.target)
    throw Error("the program was made for the target '{}', up to the pass '{}'; it cannot go on for '{}'", module.target, module.stage,
                asked);
  const std::string name = !asked.empty() ? asked : !module.target.empty() ? module.target : "cpu";
  std::vector<std::string> known;
  for (const passes::Target* target : {&cpu::target(), &passes::generic_target()}) {
    if (target->name() == name) return *target;
    known.emplace_back(target->name());
  }
  throw Error("unknown target '{}'{} (known are {})", name, did_you_mean(name, known), fmt::join(known, ", "));
}

}  // namespace weft::tool
