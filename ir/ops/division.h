#pragma once
// Quotients that are rounded.

#include "weft/ir/builder.h"

namespace weft::ir {

/// a / b rounded down. Of floating numbers by what fmod leaves, since a / b itself may have been rounded up to an integer.
Expr floor_of_quotient(Expr a, Expr b);

}  // namespace weft::ir
