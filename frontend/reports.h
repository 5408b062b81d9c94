#pragma once
// What a step tells about itself, as text.

#include <span>
#include <string>

#include "weft/ir/module.h"
#include "weft/runtime/profiler.h"

namespace weft::detail {

/// A line for each call and one for the whole step.
std::string profile_table(std::span<const CallTime> calls);

/// The arena of a planned module, largest values first; says so where nothing was planned.
std::string memory_table(const ir::Module& planned);

}  // namespace weft::detail
