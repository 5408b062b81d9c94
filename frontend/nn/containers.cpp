#include "weft/frontend/nn/containers.h"

#include <algorithm>

namespace weft::nn {

bool ModuleDict::contains(const std::string& name) const {
  return std::any_of(modules_.begin(), modules_.end(), [&](const auto& module) { return module.first == name; });
}

std::vector<std::string> ModuleDict::keys() const {
  std::vector<std::string> names;
  for (const auto& [name, module] : modules_) names.push_back(name);
  return names;
}

Module& ModuleDict::operator[](const std::string& name) const {
  for (const auto& [known, module] : modules_)
    if (known == name) {
      call_as(*module, name);
      return *module;
    }
  throw Error("nn::ModuleDict: there is no module '{}'", name).hint(did_you_mean(name, keys()));
}

const Parameter& ParameterList::operator[](size_t i) const {
  if (i >= size()) throw Error("nn::ParameterList: there are {} parameters, and no number {}", size(), i);
  return parameters_[i];
}

}  // namespace weft::nn
