#include "weft/frontend/tool/targets.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "weft/frontend/program/target.h"
#include "weft/support/error.h"

namespace weft::tool {
namespace {

/// The target of that name with autocast.
std::shared_ptr<const passes::Target> autocasting(const std::string& name, const std::string& autocast) {
  if (autocast != "bf16") throw Error("--autocast must be bf16, not {}", autocast);
  if (name == passes::generic_target().name()) return {std::shared_ptr<const passes::Target>(), &passes::generic_autocast_target()};
  const Target target = Target::from_name(name, bf16);
  return {target.shared_backend(), &target.backend().target()};
}

}  // namespace

std::shared_ptr<const passes::Target> target_for(const ir::Module& module, const std::string& asked, const std::string& autocast) {
  if (!asked.empty() && !module.target.empty() && asked != module.target)
    throw Error("the program was made for the target '{}', up to the pass '{}'; it cannot go on for '{}'", module.target, module.stage,
                asked);
  const std::string name = !asked.empty() ? asked : !module.target.empty() ? module.target : "cpu";
  if (!autocast.empty()) return autocasting(name, autocast);
  std::vector<std::string> known;
  for (const Target& target : Target::all()) {
    const passes::Target& asked_by_passes = target.backend().target();
    if (asked_by_passes.name() == name) return {target.shared_backend(), &asked_by_passes};
    known.emplace_back(asked_by_passes.name());
  }
  throw Error("unknown target '{}' (known are {})", name, fmt::join(known, ", ")).hint(did_you_mean(name, known));
}

void add_autocast(CLI::App& command, std::string& autocast) {
  command.add_option("--autocast", autocast, "Let products and convolutions run in bf16, all that loses by it in f32")->type_name("bf16");
}

void require_autocast(const std::string& autocast, const std::vector<std::string>& passes) {
  if (!autocast.empty() && std::find(passes.begin(), passes.end(), "autocast") == passes.end())
    throw Error("--autocast: the pass 'autocast' does not run here; {}",
                passes.empty() ? "none does" : fmt::format("these do: {}", fmt::join(passes, ", ")))
        .hint("it comes before all others: give the program as it was recorded");
}

}  // namespace weft::tool
