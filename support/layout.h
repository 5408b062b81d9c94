#pragma once
// How a tensor's elements lie in memory where that is not row-major: axes in another order, some cut into blocks.
//
// A layout is written as oneDNN writes it. Letters are the axes, outermost first; a capital letter says that blocks of
// the axis come further in, each as its size and the axis' small letter. Of x [n, c, h, w]:
//
//   acdb     [n, h, w, c]
//   aBcd8b   [n, c/8, h, w, 8]
//
// This is the only reader and writer of the notation.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weft/support/shape.h"
#include "weft/support/strided_view.h"

namespace weft {

class Layout {
 public:
  /// Row-major: "".
  Layout() = default;
  /// Of [n, channels, spatial...]: n, spatial..., channels.
  static Layout channels_last(int rank);
  /// Throws weft::Error when the text is no layout of `rank` axes. Letters in order and no blocks is row-major.
  static Layout parse(std::string_view text, int rank);

  /// How many axes the text speaks of; of a row-major tensor that has `rank`.
  static int axes(std::string_view text, int rank);

  bool is_plain() const { return parts_.empty(); }
  /// The canonical text; "" for row-major.
  std::string text() const;

  /// Does the axis lie in several parts, an outer one and its blocks?
  bool is_cut(int axis) const;
  /// Of all blocks of the axis together; 1 where it has none.
  int64_t block_of(int axis) const;

  /// Can a tensor of this shape lie so? Blocks must divide their axes.
  bool fits(const Shape& logical) const;
  Shape physical(const Shape& logical) const;
  /// Where the elements lie by their logical indices; none where an axis is cut, or it does not fit.
  std::optional<StridedView> view(const Shape& logical) const;
  /// The inverse of `physical`. Throws weft::Error when the physical shape is not of this layout.
  Shape logical(const Shape& physical) const;

  /// `logical` with every axis cut into its outer part and its blocks, which is a view of it.
  Shape split(const Shape& logical) const;
  /// Axis i of the physical shape is axis order()[i] of the split one.
  Dims order() const;

  /// The axes' parts as they lie, outermost first. `block` is 0 for what is left of the axis.
  struct Part {
    int axis;
    int64_t block;
    bool operator==(const Part&) const = default;
  };
  /// Of a row-major tensor, too.
  std::vector<Part> parts(int rank) const;
  static Layout of(std::vector<Part> parts);

  bool operator==(const Layout&) const = default;

 private:
  std::vector<Part> parts_;  // empty: row-major
};

/// Does it name each axis of this rank once?
bool is_permutation(const Dims& order, int rank);
/// The permutation that undoes this one.
Dims inverse(const Dims& permutation);

}  // namespace weft
