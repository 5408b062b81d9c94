#pragma once
// Calls of ops, drawn by asking the definitions: which element types an operand takes, which attributes there are, and
// whether the op's own shape rule takes what was drawn. Knows no op by name.

#include <optional>
#include <vector>

#include "weft/ir/op_def.h"
#include "weft/tests/random/dice.h"

namespace weft::test {

/// What the values of one graph are like.
struct Palette {
  std::vector<int64_t> extents;  // few, so that shapes meet
  std::vector<DType> floating;   // the more often, the likelier
  int64_t most_elements = 0;     // of one value
  DType small = u8;              // the integer type beside i64 and i32
};

struct Call {
  std::vector<ir::Type> operands;
  std::vector<ir::Attribute> attributes;  // in the order of the definition
};

/// Up to three axes.
Shape random_shape(Dice& dice, const Palette& palette);
DType random_dtype(Dice& dice, ir::Accepts accepts, const Palette& palette);
bool is_accepted(ir::Accepts accepts, DType dtype);
/// A number at which functions and equations turn: 0, -0.0, 1, -1, 2, a power of two, seldom an infinity or nan.
double special_number(Dice& dice);

/// A call whose first operand has the type `first`, if the op has operands at all; nothing when none was found.
/// `likely` are element types to try for attributes.
std::optional<Call> propose(Dice& dice, const ir::OpDef& def, const ir::Type& first, const std::vector<DType>& likely,
                            const Palette& palette);

}  // namespace weft::test
