#include "weft/frontend/program/target.h"

#include "weft/backends/reference/reference.h"
#include "weft/support/error.h"
#include "weft/support/number_text.h"

namespace weft {

Target Target::cpu(cpu::Options options) { return Target(cpu::backend(std::move(options))); }
Target Target::cuda(cuda::Options options) { return Target(cuda::backend(std::move(options))); }
Target Target::reference() { return Target(reference::backend()); }

std::vector<Target> Target::all() {
  return {
      cpu(),
      cuda(),
      reference(),
  };
}

Target Target::from_name(std::string_view name, TargetOptions options) {
  const auto& [autocast, memory_limit] = options;
  if (name == "cpu") return cpu({.autocast = autocast, .memory_limit = memory_limit});
  if (name == "cuda") return cuda({.autocast = autocast, .memory_limit = memory_limit});
  if (name.starts_with("cuda:")) {
    const std::optional<int> device = number_in<int>(name.substr(5));
    if (!device || *device < 0) throw Error("'{}' is no device: cuda:N has a number, from 0", name);
    return cuda({.device = *device, .autocast = autocast, .memory_limit = memory_limit});
  }
  std::vector<std::string> names;
  for (const Target& target : all()) {
    if (target.name() == name && autocast) throw Error("the target '{}' has no autocast: it computes in the types that are recorded", name);
    if (target.name() == name && memory_limit) throw Error("the target '{}' has no limit of memory: it plans none", name);
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
