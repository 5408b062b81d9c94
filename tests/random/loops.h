#pragma once
// Loops in random graphs: a random graph as the body of a `scan`, and a loop written out.

#include <memory>
#include <optional>

#include "weft/ir/module.h"
#include "weft/tests/random/results.h"

namespace weft::test {

struct LoopBody {
  std::unique_ptr<ir::Graph> graph;
  int64_t carried = 0, sliced = 0, length = 0;
  bool reverse = false;

  /// What the loop takes for the body's input of this number.
  ir::Type operand(int input) const;
};

/// Makes a body of a graph without outputs whose values the pool has: some inputs are carried, by what bounds them, others are sliced.
/// Nothing where an input is an index, for what a loop is given as one is anything.
std::optional<LoopBody> loop_body(ir::Module& module, Dice& dice, const Pool& pool);

/// The same module with every loop, nested ones too, written out step by step, which is what it is to compute.
ir::Module without_loops(const ir::Module& module);

}  // namespace weft::test
