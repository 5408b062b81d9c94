#pragma once
// The arithmetic of convolution, pooling and unfolding along one axis.

#include <cstdint>
#include <utility>

#include "weft/support/shape.h"

namespace weft {

/// A kernel of `extent` elements that slides along an axis: at position p, its element k lies over the axis' element
///
///   p * stride - low + k * dilation
///
/// with `low` elements of padding before the axis and `high` behind it.
struct SlidingWindow {
  int64_t extent = 1, stride = 1, dilation = 1, low = 0, high = 0;

  /// No stride, dilation or padding is larger, so that sums of them and of an axis' extent fit into 64 bits.
  static constexpr int64_t most = int64_t{1} << 30;

  /// From a kernel's first element to its last: its effective extent, less 1.
  int64_t reach() const { return dilation * (extent - 1); }
  int64_t element(int64_t position, int64_t k) const { return position * stride - low + k * dilation; }
  /// How many positions an axis of so many elements has: the extent of what is computed. 0 where the kernel does not fit.
  int64_t positions(int64_t elements) const;
  /// What so many positions look at, padding included: of a transposed convolution, the extent before its padding is taken away.
  int64_t covered(int64_t positions) const { return (positions - 1) * stride + reach() + 1; }
  /// What must follow the padding behind an axis of so many elements for a last position that is not whole to count too, unless it
  /// would start behind the axis (torch.nn.MaxPool2d's ceil_mode). 0 where every position is whole.
  int64_t missing(int64_t elements) const;
  /// The same positions over an axis of so many elements, without the kernel's first and last elements that lie in the padding wherever
  /// it stands: what sums or compares the axis' elements need not look there, however large the kernel is. Padding stays above 0.
  SlidingWindow reaching(int64_t elements) const;
  /// Padding before and behind with which, at stride 1, there are as many positions as elements (torch's padding="same").
  std::pair<int64_t, int64_t> same_padding() const { return {reach() / 2, reach() - reach() / 2}; }
  /// The window whose sums are the gradient of this one's with respect to what it slides along, at stride 1: its kernel is this one
  /// backwards. Its padding is negative where this one's is larger than the reach.
  SlidingWindow transposed() const {
    return {.extent = extent, .stride = 1, .dilation = dilation, .low = reach() - low, .high = reach() - high};
  }
};

/// A list with an entry per axis that a window slides along; an empty one says `otherwise` of each.
inline Dims per_window_axis(const Dims& given, size_t axes, int64_t otherwise) { return given.empty() ? Dims(axes, otherwise) : given; }

}  // namespace weft
