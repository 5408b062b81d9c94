#pragma once
// The order in which a reduction combines its elements. It follows from the shape alone, never from the vector
// width, the number of threads or what was fused, so the same reduction gives the same bits everywhere.
//
// Of the reduced axes, the innermost one with more than one element is the *lane axis*. Partial result `lane`
// (0 to 15) combines, starting from the neutral element, those elements whose index along the lane axis is `lane`
// modulo 16, in row-major order. The 16 partial results are then combined as a tree: lane i with lane i + 8, then
// with i + 4, i + 2, i + 1.
//
// A lane with more than 64 elements takes them in *pieces*, each combined from the neutral element on; the pieces are
// then combined in their order. So the rounding error of a sum of n elements grows with n / 1024 instead of n / 16.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace weft {

inline constexpr int reduction_lanes = 16;
inline constexpr int64_t reduction_piece = 64;  // the most elements that a lane takes into one piece

/// A piece is so many neighbouring indices of one reduced axis, counted from 0 (the last piece may have fewer), with
/// everything of the reduced axes inside it. Along the lane axis it is a multiple of 16.
struct ReductionPieces {
  size_t axis;  // among the reduced axes with more than one element, outermost first
  int64_t length;
};

/// Elements of a lane along one of the axes, the last of which is the lane axis.
inline int64_t lane_elements(std::span<const int64_t> extents, size_t axis) {
  return axis + 1 == extents.size() ? (extents[axis] + reduction_lanes - 1) / reduction_lanes : extents[axis];
}

/// Of the reduced axes' extents without those of 1, outermost first; none where a lane has no more than one piece.
inline std::optional<ReductionPieces> reduction_pieces(std::span<const int64_t> extents) {
  int64_t inside = 1;  // elements of a lane for one index of the axis
  for (size_t axis = extents.size(); axis-- > 0;) {
    const int64_t count = lane_elements(extents, axis);
    if (count > reduction_piece / inside)
      return ReductionPieces{axis, reduction_piece / inside * (axis + 1 == extents.size() ? reduction_lanes : 1)};
    if (count == 0) return std::nullopt;
    inside *= count;
  }
  return std::nullopt;
}

/// The most combinations that one element goes through before the tree: of its piece, and of the pieces.
inline int64_t reduction_chain(std::span<const int64_t> extents) {
  const auto pieces = reduction_pieces(extents);
  int64_t all = 1, inside = 1;
  for (size_t axis = extents.size(); axis-- > 0;) {
    all *= lane_elements(extents, axis);
    if (pieces && axis > pieces->axis) inside = all;
  }
  if (!pieces) return all;
  const size_t cut = pieces->axis;
  const int64_t whole = lane_elements(extents, cut) * inside, in_piece = reduction_piece / inside * inside;
  return in_piece + (whole + in_piece - 1) / in_piece * (all / whole);
}

}  // namespace weft
