#include "weft/frontend/tool/targets.h"

#include "weft/frontend/program/target.h"
#include "weft/support/error.h"

namespace weft::tool {

std::shared_ptr<const passes::Target> target_for(const ir::Module& module, const std::string& asked) {
  if (!asked.empty() && !module.target.empty() && asked != module.target)
    throw Error("the program was made for the target '{}', up to the pass '{}'; it cannot go on for '{}'", module.target, module.stage,
                asked);
  const std::string name = !asked.empty() ? asked : !module.target.empty() ? module.target : "cpu";
  std::vector<std::string> known;
  for (const Target& target : Target::all()) {
    const passes::Target& asked_by_passes = target.backend().target();
    if (asked_by_passes.name() == name) return {target.shared_backend(), &asked_by_passes};
    known.emplace_back(asked_by_passes.name());
  }
  throw Error("unknown target '{}' (known are {})", name, fmt::join(known, ", ")).hint(did_you_mean(name, known));
}

}  // namespace weft::tool
