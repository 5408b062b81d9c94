#pragma once
// The same program with smaller tensors.

#include <optional>
#include <set>

#include "weft/ir/module.h"

namespace weft::passes {

/// All extents of inputs and results above 1.
std::set<int64_t> extents_of(const ir::Module& module);

/// The program where all extents `from` of inputs, of constants and of attributes that say a result's shape are `to`; result types follow.
/// None where an op does not take what it is then given, where one has a body or unequal constant elements, and of a planned program.
std::optional<ir::Module> with_extent(const ir::Module& module, int64_t from, int64_t to);

}  // namespace weft::passes
