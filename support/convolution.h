#pragma once
// What a convolution is: read from an op's attributes (ir/ops/convolution.h), and handed to what runs it.

#include <optional>
#include <string_view>

#include "weft/support/layout.h"
#include "weft/support/sliding_window.h"

namespace weft {

/// How the three tensors of a convolution lie in memory.
struct ConvolutionLayouts {
  Layout x, w, y;
  bool are_plain() const { return x.is_plain() && w.is_plain() && y.is_plain(); }
};

/// How it is computed: as the sum says, or between transforms of tiles that spare multiplications (Winograd).
enum class ConvolutionAlgorithm { direct, winograd };
constexpr std::string_view name_of(ConvolutionAlgorithm algorithm) {
  return algorithm == ConvolutionAlgorithm::winograd ? "winograd" : "direct";
}
std::optional<ConvolutionAlgorithm> convolution_algorithm_from_name(std::string_view name);

/// The three convolution ops are the derivatives of one trilinear form,
///
///   sum of x[n, i, p * stride - low + k * dilation] * w[o, i, k] * y[n, o, p]
///
/// over everything, along one or more spatial axes (p: positions, k: the kernel); with groups, i counts inside its group.
struct Convolution {
  int64_t groups = 1;
  Dims stride, low, high, dilation;  // per spatial axis
  ConvolutionLayouts layouts;
  ConvolutionAlgorithm algorithm = ConvolutionAlgorithm::direct;
  Shape x, w, y;  // row-major: [n, c, ..], [o, c / groups, ..], [n, o, ..]

  int spatial() const { return x.rank() - 2; }
  /// The kernel along a spatial axis of x.
  SlidingWindow window(int d) const;
  /// Multiplications and additions of any of the three.
  double flops() const;
};

/// Has it elements, and do its tensors, groups and windows agree?
bool is_consistent(const Convolution& c);

/// The extents along the spatial axes.
Dims spatial_extents(const Shape& shape);

/// The first sample of each of so many parts of a batch, and its end.
Dims batch_cuts(int64_t batch, int64_t parts);

/// The convolution of which this one's y is the data gradient: of y there, with w's kernel flipped and its channels exchanged,
/// x comes out. None where there is none: with a stride, or padding beyond the kernel's reach. Layouts are row-major.
std::optional<Convolution> mirrored(const Convolution& c);

}  // namespace weft
