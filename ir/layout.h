#pragma once
// Layouts in the IR, which has no types for them: a value in a layout is an ordinary row-major tensor of the shape `physical`,
// and a change of layout is a reshape and a transpose that everyone can see, fuse and count. Only an op that a library runs says
// by attributes in which layouts it wants its operands.

#include "weft/ir/builder.h"
#include "weft/support/layout.h"

namespace weft::ir {

/// The value `v`, which is row-major, in the layout; and back. No op when the layout is plain.
Value to_layout(Builder& b, Value v, const Layout& layout);
Value from_layout(Builder& b, Value v, const Layout& layout);

}  // namespace weft::ir
