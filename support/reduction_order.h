#pragma once
// The order in which a reduction combines its elements. It follows from the shape and the reduced axes alone, never from
// the vector width, the number of threads or what was fused, so the same reduction gives the same bits everywhere.
//
// Axes of one element do not count. The innermost reduced axis is the *lane axis*; while it has fewer than 64 elements and
// the axis before it is reduced too, the two count as one, in row-major order. Partial result `lane` (0 to 15) takes those
// elements whose index along the lane axis is `lane` modulo 16, in row-major order. The 16 partial results are combined as a
// tree at the end: lane i with lane i + 8, then with i + 4, i + 2, i + 1.
//
// Nothing combines more than 16 values one after the other, each time from the neutral element on: a lane with more elements
// takes them in *pieces* of at most 16, then 16 neighbouring pieces make one of the next *level*, and so on until one is
// left. So a sum of n elements is wrong by log2(n) units in the last place of the sum of their magnitudes at most.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace weft {

inline constexpr int reduction_lanes = 16;
inline constexpr int64_t reduction_chain = 16;  // the most values that are combined one after the other
inline constexpr int64_t short_lane_axis = 64;  // a lane axis with fewer elements takes in the reduced axis before it

/// The first of the axes that the lane axis is made of, and the last. `extents` has no 1, `reduced` is per axis.
struct LaneAxis {
  size_t first, last;
  int64_t extent;
};

/// None where nothing is reduced.
inline std::optional<LaneAxis> lane_axis(std::span<const int64_t> extents, const std::vector<bool>& reduced) {
  size_t last = extents.size();
  while (last > 0 && !reduced[last - 1]) --last;
  if (last == 0) return std::nullopt;
  LaneAxis lane{last - 1, last - 1, extents[last - 1]};
  while (lane.extent < short_lane_axis && lane.first > 0 && reduced[lane.first - 1]) lane.extent *= extents[--lane.first];
  return lane;
}

/// The extents that are reduced one inside the other, outermost first; the last is the lane axis.
inline std::vector<int64_t> reduced_extents(std::span<const int64_t> extents, const std::vector<bool>& reduced) {
  std::vector<int64_t> result;
  const auto lane = lane_axis(extents, reduced);
  for (size_t axis = 0; lane && axis < lane->first; ++axis)
    if (reduced[axis]) result.push_back(extents[axis]);
  if (lane) result.push_back(lane->extent);
  return result;
}

/// A piece is so many neighbouring indices of one of the reduced extents, counted from 0 (the last piece may have fewer), with
/// everything inside it. Along the lane axis it is a multiple of 16.
struct ReductionPieces {
  size_t axis;  // among the reduced extents
  int64_t length;
  int levels;  // above the pieces, until one is left: at least 1
};

/// Elements of a lane along one of the reduced extents.
inline int64_t lane_elements(std::span<const int64_t> extents, size_t axis) {
  return axis + 1 == extents.size() ? (extents[axis] + reduction_lanes - 1) / reduction_lanes : extents[axis];
}

/// Of the reduced extents; none where a lane has no more than one piece.
inline std::optional<ReductionPieces> reduction_pieces(std::span<const int64_t> extents) {
  int64_t inside = 1;  // elements of a lane for one index of the axis
  for (size_t axis = extents.size(); axis-- > 0;) {
    const int64_t count = lane_elements(extents, axis);
    if (count == 0) return std::nullopt;
    if (count <= reduction_chain / inside) {
      inside *= count;
      continue;
    }
    const int64_t length = reduction_chain / inside;
    int64_t pieces = (count + length - 1) / length;
    for (size_t outer = 0; outer < axis; ++outer) pieces *= extents[outer];
    int levels = 1;
    for (; pieces > reduction_chain; pieces = (pieces + reduction_chain - 1) / reduction_chain) ++levels;
    return ReductionPieces{axis, length * (axis + 1 == extents.size() ? reduction_lanes : 1), levels};
  }
  return std::nullopt;
}

/// By how many units in the last place of the sum of magnitudes a sum of so many elements may be wrong.
inline double reduction_ulps(int64_t elements) { return std::max(1.0, std::log2(static_cast<double>(std::max<int64_t>(elements, 1)))); }

}  // namespace weft
