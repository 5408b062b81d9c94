#include "weft/frontend/report/rows.h"

#include <optional>
#include <set>

#include "weft/runtime/columns.h"

namespace weft::detail {
namespace {

size_t distinct(const std::vector<std::string>& texts) { return std::set<std::string>(texts.begin(), texts.end()).size(); }

bool is_long(const std::string& name, int columns) { return columns_of(name) > columns; }

/// The layers that all names begin with which are too long: "encoder.the_layers.".
std::string shared_beginning(const std::vector<std::string>& names, int columns) {
  std::optional<std::string> shared;
  for (const std::string& name : names) {
    if (!is_long(name, columns)) continue;
    if (!shared) shared = name;
    const auto [end, ignored] = std::mismatch(shared->begin(), shared->end(), name.begin(), name.end());
    shared->erase(end, shared->end());
  }
  return shared ? shared->substr(0, shared->rfind('.') + 1) : "";
}

}  // namespace

std::vector<std::string> told_apart(std::vector<std::string> names, int columns) {
  std::vector<std::string> cut = elided_apart(names, columns);
  if (distinct(cut) == distinct(names)) return cut;
  const size_t shared = shared_beginning(names, columns).size();
  for (std::string& name : names)
    if (shared > 0 && is_long(name, columns)) name = "..." + name.substr(shared);
  std::vector<std::string> without = elided_apart(names, columns);
  return distinct(without) > distinct(cut) ? without : cut;
}

}  // namespace weft::detail
