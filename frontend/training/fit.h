#pragma once
// The training loop: batch after batch, epoch after epoch, for one model or for several side by side.

#include <string>
#include <utility>
#include <vector>

#include "weft/frontend/training/specialization.h"

namespace weft::detail {

/// By name; one alone needs none.
using NamedRecipes = std::vector<std::pair<std::string, Recipe>>;

/// What became of each, in the same order. See Trainer::fit and fit_side_by_side; `test` is null where there is none.
std::vector<History> fit(const NamedRecipes& all, const Dataset& train, const Dataset* test, const FitOptions& options);

}  // namespace weft::detail
