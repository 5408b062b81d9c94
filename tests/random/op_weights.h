#pragma once
// Which op is drawn next.

#include <vector>

#include "weft/ir/op_def.h"
#include "weft/passes/rewrites.h"
#include "weft/tests/random/dice.h"

namespace weft::test {

/// The rows of every table of equations.
std::vector<const passes::Rewrite*> all_rewrites();

/// How likely each op is drawn: by kind, more often if equations speak of it, and differently in every graph, so that
/// few ops meet often in some graph.
class OpWeights {
 public:
  explicit OpWeights(Dice& dice);

  /// Every op in turn.
  const ir::OpDef& turn(uint64_t number) const { return *defs_[number % defs_.size()]; }
  const ir::OpDef& draw(Dice& dice) const;

 private:
  std::vector<const ir::OpDef*> defs_;
  std::vector<double> weights_;
  double sum_ = 0;
};

}  // namespace weft::test
