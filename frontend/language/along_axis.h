#pragma once
// Elements along an axis at places that are known while the graph is recorded.

#include <vector>

#include "weft/frontend/language/recorder.h"

namespace weft::detail {

/// Of a list of places or weights that becomes part of the program, the most that are written down: 2^26.
inline constexpr int64_t most_listed = int64_t{1} << 26;

/// The slices of v along the axis at these places: a slice where they follow each other, a broadcast where each stands as often as
/// the others, else a gather.
ir::Value taken(Recorder& r, ir::Value v, int axis, const Dims& places);
/// The numbers as a tensor of that type whose only extent other than 1 is along the axis, of a result of `rank` axes.
ir::Value along(Recorder& r, const std::vector<double>& numbers, DType dtype, int axis, int rank);

}  // namespace weft::detail
