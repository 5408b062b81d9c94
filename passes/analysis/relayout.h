#pragma once
// What a reshape makes of a value that lies in a layout: the algebra behind the pass `layout`.

#include <optional>

#include "weft/support/layout.h"

namespace weft::passes {

/// A value as it lies then: its shape in memory, and how that is the logical one's.
struct Relaid {
  Shape physical;
  Layout layout;
};
/// `reshape` from one logical shape to another of a value that lies in the layout; none where axes that merge or split do not
/// lie side by side.
std::optional<Relaid> reshaped(const Shape& from, const Shape& to, const Layout& layout);

}  // namespace weft::passes
