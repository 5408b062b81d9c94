#include "weft/frontend/training/history.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "weft/support/error.h"

namespace weft {

double NamedNumbers::operator[](std::string_view name) const {
  std::vector<std::string> names;
  for (const auto& [known, number] : all_) {
    if (known == name) return number;
    names.push_back(known);
  }
  Error error("there is no number called '{}'", name);
  if (const std::string near = did_you_mean(name, names); !near.empty()) throw error.hint(near);
  throw error.hint(names.empty() ? "nothing is measured; Trainer::metric() and Measured say what shall be"
                                 : fmt::format("there {} '{}'", names.size() == 1 ? "is" : "are", fmt::join(names, "', '")));
}

double NamedNumbers::find(std::string_view name) const {
  const auto found = std::find_if(all_.begin(), all_.end(), [&](const auto& one) { return one.first == name; });
  return found == all_.end() ? unknown : found->second;
}

const EpochResult& History::last() const {
  if (epochs.empty()) throw Error("no epoch was trained: {} steps are made, and no more are wanted", steps);
  return epochs.back();
}

}  // namespace weft
