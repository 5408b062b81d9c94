#pragma once
// Ops on images and other grids: x is [n, channels, spatial...]. Names, defaults and semantics follow torch.nn.functional.
//
// Every function throws weft::Error naming the op, what it requires, the operands' types and the user's line.

#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "weft/frontend/language/convolution.h"

namespace weft {

/// A factor per spatial axis, or one for all of them: 2, {2, 1.5}.
struct Factors {
  std::vector<double> each;  // none: not given
  Factors() = default;
  template <class T>
    requires std::is_arithmetic_v<T>
  Factors(T all) : each{static_cast<double>(all)} {}
  Factors(std::initializer_list<double> factors) : each(factors) {}
};

struct InterpolateOptions {
  PerAxis size = {};          // the result's extents; or
  Factors scale_factor = {};  // what x's extents are multiplied by, the products cut off to integers
  /// "nearest", "nearest-exact" (the element whose centre is nearest), "area" (adaptive_avg_pool), of one spatial axis "linear", of two
  /// "bilinear" or "bicubic", of three "trilinear".
  std::string mode = "nearest";
  /// Whether the first and last elements stay where they are, or the edges of the image do. Of the modes that end in "linear" or "cubic".
  std::optional<bool> align_corners = {};
};

/// x with other extents (torch.nn.functional.interpolate, without antialiasing; the factors are used as they are, as there). Bicubic
/// is Keys's with a = -3/4. Throws also unless exactly one of size and scale_factor is given.
Tensor interpolate(Arg x, InterpolateOptions options);

/// [..., C r^2, H, W] -> [..., C, H r, W r]: channels become elements between the others (Shi et al. 2016).
Tensor pixel_shuffle(Arg x, int64_t upscale_factor);
/// The reverse: [..., C, H r, W r] -> [..., C r^2, H, W].
Tensor pixel_unshuffle(Arg x, int64_t downscale_factor);
/// Channels, axis 1, of x [n, C, ...] in the order of a transposed [groups, C / groups] (Zhang et al. 2018).
Tensor channel_shuffle(Arg x, int64_t groups);

struct UnfoldOptions {
  PerAxis dilation = 1;
  PerAxis padding = 0;
  PerAxis stride = 1;
};

/// The windows that slide over x [n, C, H, W], one a column: [n, C * kernel elements, windows] (im2col). The batch axis may be left out.
Tensor unfold(Arg x, PerAxis kernel, UnfoldOptions options = {});
/// The sum of such columns, each where its window lies, as an image of `size`: [n, C * kernel elements, windows] -> [n, C, H, W].
Tensor fold(Arg x, PerAxis size, PerAxis kernel, UnfoldOptions options = {});

struct GridSampleOptions {
  std::string mode = "bilinear";       // "nearest" or "bicubic"
  std::string padding_mode = "zeros";  // "border": the nearest element, "reflection": x mirrored at its edges
  bool align_corners = false;          // -1 and 1 are the centres of the first and last elements, else their outer edges
};

/// x [n, C, H, W] where grid [n, H', W', 2] says, (x, y) between -1 and 1: [n, C, H', W'].
Tensor grid_sample(Arg x, Arg grid, GridSampleOptions options = {});
/// The grid of an affine map theta [n, 2, 3] for a result of `size` [n, C, H, W]: [n, H, W, 2].
Tensor affine_grid(Arg theta, Dims size, bool align_corners = false);

}  // namespace weft
