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
  throw Error("there is no target '{}'{} (there are {})", name, did_you_mean(name, names), fmt::join(names, ", "));
}

Target Target::with_threads(int threads) const {
  auto other = backend_->with_threads(threads);
  return other ? Target(std::move(other)) : *this;
}

}  // namespace weft
