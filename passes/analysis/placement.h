#pragma once
// Where every value lives once a graph is planned.

#include <unordered_map>

#include "weft/ir/graph.h"

namespace weft::passes {

struct Place {
  enum class Kind { input, arena, constant } kind = Kind::arena;
  /// Input number, bytes into the arena, or nothing for a constant.
  int64_t position = 0;
  /// The value whose memory it is: views share their operand's.
  ir::Value owner;
};

using Placement = std::unordered_map<ir::Value, Place, ir::ValueHash>;

/// The place of every value of a planned graph: an output that aliases an input lives there, a view where its operand
/// lives, the rest at its planned offset. Throws InternalError for a value without a place.
Placement placement_of(const ir::Graph& graph);

/// Does the value share its operand's memory?
bool is_view(ir::Value v);

}  // namespace weft::passes
