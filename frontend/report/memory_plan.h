#pragma once
// What a step keeps where, and from when to when, as values.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "weft/frontend/report/origin.h"
#include "weft/ir/module.h"

namespace weft {

/// A value in the arena.
struct PlannedValue {
  std::string name;  // "%fc1.relu", as the text of the planned program names it
  std::string type;  // "f32[64,512]"
  Origin origin;     // of the op that makes it
  int64_t bytes = 0, offset = 0;
  int first = 0, last = 0;  // the ops between which it lives, both included, by their place in the program
};

/// What lies outside of the arena: the inputs of one role ("parameter", "state", "batch", ...).
struct HeldInputs {
  std::string role;
  int64_t count = 0, bytes = 0;
};

struct MemoryPlan {
  /// The arena's size; none where nothing was planned: the target keeps each value by itself.
  std::optional<int64_t> arena_bytes;
  std::vector<HeldInputs> inputs = {};
  std::vector<PlannedValue> values = {};  // the largest first
  /// Bytes of the arena in use while each op of the program runs, what several share counted once.
  std::vector<int64_t> in_use = {};
  /// The op at which most are, and who lives then: numbers of `values`, the largest first.
  int peak = 0;
  std::vector<size_t> at_peak = {};

  int64_t peak_bytes() const { return in_use.empty() ? 0 : in_use[static_cast<size_t>(peak)]; }
  /// The sum of the values' bytes, as if none shared memory.
  int64_t value_bytes() const;
  std::string table() const;
  std::string json() const;
};

namespace detail {

MemoryPlan memory_plan(const ir::Module& planned);

}  // namespace detail
}  // namespace weft
