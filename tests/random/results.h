#pragma once
// What a random graph gives: outputs, new states, gradients of a bounded loss, a train block.

#include <algorithm>
#include <functional>
#include <vector>

#include "weft/ir/module.h"
#include "weft/tests/random/propose.h"

namespace weft::test {

/// The values that a graph has for further ops to read, and how to draw one.
struct Pool {
  std::vector<ir::Value> values;

  /// The youngest more often.
  ir::Value draw(Dice& dice) const {
    const size_t n = values.size();
    return dice.chance(40) ? values[n - 1 - dice(std::min<size_t>(n, 3))] : values[dice(n)];
  }
  /// One that fits, if it comes up soon.
  template <class Fits>
  ir::Value draw(Dice& dice, Fits fits) const {
    for (int i = 0; i < 10; ++i)
      if (const ir::Value v = draw(dice); fits(v)) return v;
    return {};
  }
};

/// `new_input` adds an input to the graph.
void add_results(ir::Module& module, Dice& dice, const Palette& palette, const Pool& pool,
                 const std::function<ir::Value(const ir::Type&)>& new_input);

}  // namespace weft::test
