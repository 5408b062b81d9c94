#pragma once
// Random graphs over the whole registry.

#include <cstdint>

#include "weft/ir/module.h"

namespace weft::test {

struct Recipe {
  /// No extent is larger; 0: each graph draws its few extents, mostly below 66, and one graph in 30 has large ones.
  int64_t largest = 0;
  /// So many ops at most are drawn, not counting what gradients and updates add; 0: each graph draws their number.
  int ops = 0;
  /// Watch the values: what makes them infinite, nan, huge or a matter of rounding is drawn again more often than not.
  bool watched = true;
  /// One graph in five has a loop over a random graph, which may have one itself. All else of a graph without one stays as it is.
  bool loops = false;
};

/// A function of the seed alone. Ops, operands and attributes come from the registry (propose.h), where every op
/// has its turn from seed to seed; constants on which equations turn are frequent. So have the equations of
/// passes/rewrites.h, three a graph: for each, an op is drawn until it applies. Nearly half of the graphs hold gradients of a
/// bounded loss, second ones now and then, or a train block; some have outputs that replace states.
ir::Module random_module(uint64_t seed, const Recipe& recipe = {});

}  // namespace weft::test
