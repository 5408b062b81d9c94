#pragma once
// Random graphs: the same for the same seed, on every machine.

#include "weft/ir/module.h"
#include "weft/support/philox.h"

namespace weft::testing {

/// Draws numbers below a bound.
class Dice {
 public:
  explicit Dice(uint32_t seed) : seed_(seed) {}
  uint32_t operator()(size_t below) { return random_bits(seed_, 0, 0, draws_++) % static_cast<uint32_t>(below); }

 private:
  uint32_t seed_;
  uint64_t draws_ = 0;
};

/// Products, elementwise ops, broadcasts, reductions and movements of matrices and vectors with extents up to
/// `largest`. One result replaces an input.
ir::Module random_module(uint32_t seed, DType dtype, uint32_t largest);

}  // namespace weft::testing
