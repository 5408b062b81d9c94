#pragma once
// One primitive over a block of elements.

#include "weft/backends/reference/reference.h"
#include "weft/ir/scalar.h"

namespace weft::reference {

/// Consecutive elements to read: `real` of a floating type, else `integer`.
struct Elements {
  const double* real = nullptr;
  const int64_t* integer = nullptr;

  Elements() = default;
  explicit Elements(const Tensor& t, size_t first = 0)
      : real(t.real.empty() ? nullptr : t.real.data() + first), integer(t.integer.empty() ? nullptr : t.integer.data() + first) {}
  Elements from(size_t i) const {
    Elements rest;
    rest.real = real ? real + i : nullptr;
    rest.integer = integer ? integer + i : nullptr;
    return rest;
  }
};

/// What a primitive reads and writes; c, and b of unary primitives, are unused.
struct Block {
  Elements a, b, c;
  double* real;      // the results, of a floating type
  int64_t* integer;  // the results, of any other type
  size_t count;
};

/// Runs every primitive but `argument` and `constant`; `operand` is the element type of a.
void run_primitive(const ir::ScalarNode& node, DType operand, const Block& v);

}  // namespace weft::reference
