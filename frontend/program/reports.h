#pragma once
// What a step tells about itself, as text.

#include <span>
#include <string>
#include <vector>

#include "weft/ir/module.h"
#include "weft/runtime/profiler.h"

namespace weft::detail {

/// Calls summed: microseconds of a step, of which it waited so many for other threads, and its work.
struct ProfileRow {
  std::string name;
  std::string layer = {};  // of a call; where there is none, its source lines
  int64_t calls = 0;
  double microseconds = 0, waiting = 0, flops = 0, bytes = 0;
};

/// A step's time by layer (where there is none, by source line), by kernel or implementation, and call by call; each with the
/// largest first. A call that computes several layers is a row of them all.
struct Profile {
  ProfileRow step;
  std::vector<ProfileRow> layers = {}, kernels = {}, calls = {};
};

/// `calls` are those of the planned graph, in order.
Profile profile_of(std::span<const CallTime> calls, const ir::Graph& planned);

/// As a table within 100 columns.
std::string to_string(const Profile& profile);

/// The arena of a planned module, largest values first; says so where nothing was planned.
std::string memory_table(const ir::Module& planned);

}  // namespace weft::detail
