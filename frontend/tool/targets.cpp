#include "weft/frontend/tool/targets.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "weft/frontend/program/target.h"
#include "weft/support/error.h"
#include "weft/support/memory.h"

namespace weft::tool {
namespace {

/// The target of that name with what was chosen.
std::shared_ptr<const passes::Target> chosen_target(const std::string& name, const TargetChoice& choice) {
  if (!choice.autocast.empty() && choice.autocast != "bf16") throw Error("--autocast must be bf16, not {}", choice.autocast);
  if (name == passes::generic_target().name()) {
    if (choice.memory_limit) throw Error("the target '{}' has no limit of memory", name);
    return {std::shared_ptr<const passes::Target>(), &passes::generic_autocast_target()};
  }
  TargetOptions asked;
  if (!choice.autocast.empty()) asked.autocast = bf16;
  if (choice.memory_limit) asked.memory_limit = choice.memory_limit;
  const Target target = choice.max_isa.empty()
                            ? Target::from_name(name, asked)
                            : Target::cpu({.max_isa = choice.max_isa, .autocast = asked.autocast, .memory_limit = asked.memory_limit});
  return {target.shared_backend(), &target.backend().target()};
}

void require_pass(const char* option, const char* pass, const std::vector<std::string>& passes, const char* hint) {
  if (std::find(passes.begin(), passes.end(), pass) != passes.end()) return;
  throw Error("{}: the pass '{}' does not run here; {}", option, pass,
              passes.empty() ? "none does" : fmt::format("these do: {}", fmt::join(passes, ", ")))
      .hint(hint);
}

}  // namespace

std::shared_ptr<const passes::Target> target_for(const ir::Module& module, const std::string& asked, const TargetChoice& choice) {
  if (!asked.empty() && !module.target.empty() && asked != module.target)
    throw Error("the program was made for the target '{}', up to the pass '{}'; it cannot go on for '{}'", module.target, module.stage,
                asked);
  const std::string name = !asked.empty() ? asked : !module.target.empty() ? module.target : "cpu";
  if (choice != TargetChoice()) return chosen_target(name, choice);
  std::vector<std::string> known;
  for (const Target& target : Target::all()) {
    const passes::Target& asked_by_passes = target.backend().target();
    if (asked_by_passes.name() == name) return {target.shared_backend(), &asked_by_passes};
    known.emplace_back(asked_by_passes.name());
  }
  throw Error("unknown target '{}' (known are {})", name, fmt::join(known, ", ")).hint(did_you_mean(name, known));
}

std::string TargetChoice::text() const {
  return (autocast.empty() ? "" : " --autocast=" + autocast) + (memory_limit ? fmt::format(" --memory-limit={}", memory_limit) : "");
}

void add_target_options(CLI::App& command, TargetChoice& choice) {
  command.add_option("--autocast", choice.autocast, "Let products and convolutions run in bf16, all that loses by it in f32")
      ->type_name("bf16");
  const auto limit = [&choice](const std::string& given) {
    choice.memory_limit = bytes_in(given).value_or(0);
    if (choice.memory_limit < 1) throw Error("--memory-limit must be a number of bytes, as 64MiB or 1GB, not '{}'", given);
  };
  command
      .add_option_function<std::string>("--memory-limit", limit,
                                        "Keep what is computed in between within so many bytes (also 64MiB, 1GB): values are\n"
                                        "computed again, bit for bit")
      ->type_name("BYTES");
}

void require_target_options(const TargetChoice& choice, const std::vector<std::string>& passes) {
  if (!choice.autocast.empty())
    require_pass("--autocast", "autocast", passes, "it comes before all others: give the program as it was recorded");
  if (choice.memory_limit)
    require_pass("--memory-limit", "rematerialize", passes, "it comes before memory is planned: give the program as it was recorded");
}

}  // namespace weft::tool
