#pragma once
// The order in which a reduction combines its elements. It follows from the shape alone, never from the vector
// width, the number of threads or what was fused, so the same reduction gives the same bits everywhere.
//
// Of the reduced axes, the innermost one with more than one element is the *lane axis*. Partial result `lane`
// (0 to 15) combines, starting from the neutral element, those elements whose index along the lane axis is `lane`
// modulo 16, in row-major order. The 16 partial results are then combined as a tree: lane i with lane i + 8, then
// with i + 4, i + 2, i + 1.

namespace weft {

inline constexpr int reduction_lanes = 16;

}  // namespace weft
