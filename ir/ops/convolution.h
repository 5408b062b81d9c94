#pragma once
// What a convolution op asks for, read from its attributes: shared by the definitions and the backends.

#include "weft/ir/layout.h"
#include "weft/support/sliding_window.h"

namespace weft::ir {

/// The three convolution ops are the derivatives of one trilinear form,
///
///   sum of x[n, i, p * stride - low + k * dilation] * w[o, i, k] * y[n, o, p]
///
/// over everything, along one or more spatial axes (p: positions, k: the kernel); with groups, i counts inside its group.
struct Convolution {
  int64_t groups = 1;
  Dims stride, low, high, dilation;  // per spatial axis
  Layout x_layout, w_layout, y_layout;
  Shape x, w, y;  // row-major: [n, c, ..], [o, c / groups, ..], [n, o, ..]

  int spatial() const { return x.rank() - 2; }
  /// The kernel along a spatial axis of x.
  SlidingWindow window(int d) const;
};

/// The extents along the spatial axes.
Dims spatial_extents(const Shape& shape);

/// The convolution that an op convolution, convolution_data or convolution_weight is a part of.
Convolution convolution_of(const Op& op);

/// The convolution of which this one's y is the data gradient: of y there, with w's kernel flipped and its channels exchanged,
/// x comes out. None where there is none: with a stride, or padding beyond the kernel's reach. Layouts are row-major.
std::optional<Convolution> mirrored(const Convolution& c);

}  // namespace weft::ir
