#pragma once
// From which op to which op a value's memory is needed.

#include <unordered_map>
#include <vector>

#include "weft/ir/graph.h"

namespace weft::passes {

/// Ops are numbered in program order; a value is live from the op that makes it to the last that reads it, both
/// included. Outputs are live to the end (the number of ops).
struct Interval {
  ir::Value value;
  int begin = 0, end = 0;

  bool overlaps(const Interval& other) const { return begin <= other.end && other.begin <= end; }
};

/// The intervals of the values that need room in the arena, in program order: not inputs, constants, views, nor what
/// is written over an input. Reads of a view count for what it shares.
std::vector<Interval> arena_intervals(const ir::Graph& graph);

/// The value whose memory `v` is: itself, or for a view its operand's owner.
ir::Value owner_of(ir::Value v);

/// The ops that read `v`'s memory: its users, and the users of its views.
std::vector<ir::Op*> memory_readers(ir::Value v);

}  // namespace weft::passes
