#pragma once
// What a reshape makes of a value that lies in a layout: the algebra behind the pass `layout`.

#include <optional>
#include <vector>

#include "weft/ir/layout.h"

namespace weft::passes {

/// Is the axis in several parts, an outer one and its blocks?
bool is_cut(const std::vector<ir::Layout::Part>& parts, int axis);

/// A value as it lies then: its shape in memory, and how that is the logical one's.
struct Relaid {
  Shape physical;
  ir::Layout layout;
};
/// `reshape` from one logical shape to another of a value that lies in the layout; none where axes that merge or split do not
/// lie side by side.
std::optional<Relaid> reshaped(const Shape& from, const Shape& to, const ir::Layout& layout);

}  // namespace weft::passes
