#pragma once
// What the primitives of scalar expressions give: the one evaluator in C++, which constant folding and the reference interpreter
// both ask. (Kernels compute the same by instructions: backends/codegen.)
//
// Floating values of every type are computed in double, and only a cast rounds them; who evaluates for a narrower type rounds each
// result. Integers are computed in their own type and wrap.

#include <cstddef>
#include <cstdint>

#include "weft/ir/scalar.h"

namespace weft::ir {

/// Consecutive elements to read: `real` of a floating type, else `integer` (bools are 0 or 1).
struct ScalarElements {
  const double* real = nullptr;
  const int64_t* integer = nullptr;

  ScalarElements from(size_t i) const { return {real ? real + i : nullptr, integer ? integer + i : nullptr}; }
};

/// What a primitive reads and writes; c, and b of unary primitives, are unused.
struct ScalarBlock {
  ScalarElements a, b, c;
  double* real;      // the results, of a floating type
  int64_t* integer;  // the results, of any other type
  size_t count;
};

/// Evaluates every primitive but `argument` and `constant`; `operand` is the element type of a.
void evaluate(const ScalarNode& node, DType operand, const ScalarBlock& block);

}  // namespace weft::ir
