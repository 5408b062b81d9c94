#include "weft/frontend/program/target.h"

#include "weft/backends/reference/reference.h"
#include "weft/support/error.h"

namespace weft {

Target Target::cpu(cpu::Options options) { return Target(cpu::backend(std::move(options))); }
Target Target::reference() { return Target(reference::backend()); }

std::vector<Target> Target::all() {
  return {
      cpu(),
      reference(),
  };
}

Target Target::from_name(std::string_view name) {
  std::vector<std::string> names;
  for (const Target& target : all()) {
    if (target.name() == name) return target;
    names.push_back(target.name());
  }
  throw Error("there is no target '{}' (there are {})", name, fmt::join(names, ", ")).hint(did_you_mean(name, names));
}

Target Target::with_threads(int threads) const {
  if (auto other = backend_->with_threads(threads)) return Target(std::move(other));
  throw Error("the target '{}' has no threads: {} of them would have no effect", name(), threads);
}

}  // namespace weft
