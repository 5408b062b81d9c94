#pragma once
// Convolutions and pooling. Names, defaults and semantics follow torch.nn.functional. x is [n, channels, spatial...]; the
// batch axis may be left out.
//
// Every function throws weft::Error naming the op, what it requires, the operands' types and the user's line.

#include <concepts>
#include <initializer_list>
#include <source_location>
#include <string>

#include "weft/frontend/language/ops_reduction.h"

namespace weft {

/// A number per spatial axis, or one for all of them: 3, {3, 5}.
class PerAxis {
 public:
  PerAxis(int64_t all) : values_{all} {}
  PerAxis(std::initializer_list<int64_t> values) : values_(values) {}
  PerAxis(Dims values) : values_(std::move(values)) {}

  bool empty() const { return values_.empty(); }
  /// One number for each of `spatial` axes. Throws weft::Error, naming `what`, when there are another number of them.
  Dims over(int spatial, const std::string& what) const;

 private:
  Dims values_;
};

/// Zeros on both sides of x: numbers, "valid" (none) or "same" (y has x's extents, which needs stride 1; an odd zero
/// comes after x).
class Padding {
 public:
  Padding(std::integral auto all) : zeros_(static_cast<int64_t>(all)) {}
  Padding(std::initializer_list<int64_t> values) : zeros_(values) {}
  Padding(Dims values) : zeros_(std::move(values)) {}
  /// Throws weft::Error naming the line for another word than "same" and "valid".
  Padding(const char* word, std::source_location at = std::source_location::current()) : Padding(std::string(word), at) {}
  Padding(std::string word, std::source_location at = std::source_location::current());

  bool same() const { return same_; }
  const PerAxis& zeros() const { return zeros_; }

 private:
  PerAxis zeros_ = 0;
  bool same_ = false;
};

struct ConvolutionOptions {
  PerAxis stride = 1;
  Padding padding = 0;
  PerAxis dilation = 1;
  int64_t groups = 1;
};

/// x [n, in, ...], weight [out, in / groups, kernel...], bias [out]; y [n, out, ...].
Tensor conv1d(Arg x, Arg weight, ConvolutionOptions options = {});
Tensor conv1d(Arg x, Arg weight, Arg bias, ConvolutionOptions options = {});
Tensor conv2d(Arg x, Arg weight, ConvolutionOptions options = {});
Tensor conv2d(Arg x, Arg weight, Arg bias, ConvolutionOptions options = {});
Tensor conv3d(Arg x, Arg weight, ConvolutionOptions options = {});
Tensor conv3d(Arg x, Arg weight, Arg bias, ConvolutionOptions options = {});

struct TransposedConvolutionOptions {
  PerAxis stride = 1;
  PerAxis padding = 0;
  PerAxis output_padding = 0;
  PerAxis dilation = 1;
  int64_t groups = 1;
};

/// x [n, in, ...], weight [in, out / groups, kernel...], bias [out].
Tensor conv_transpose1d(Arg x, Arg weight, TransposedConvolutionOptions options = {});
Tensor conv_transpose1d(Arg x, Arg weight, Arg bias, TransposedConvolutionOptions options = {});
Tensor conv_transpose2d(Arg x, Arg weight, TransposedConvolutionOptions options = {});
Tensor conv_transpose2d(Arg x, Arg weight, Arg bias, TransposedConvolutionOptions options = {});
Tensor conv_transpose3d(Arg x, Arg weight, TransposedConvolutionOptions options = {});
Tensor conv_transpose3d(Arg x, Arg weight, Arg bias, TransposedConvolutionOptions options = {});

struct MaxPoolOptions {
  PerAxis stride = {};  // none: the kernel's extents
  PerAxis padding = 0;  // -inf; at most half the kernel
  PerAxis dilation = 1;
  bool ceil_mode = false;
};

Tensor max_pool1d(Arg x, PerAxis kernel, MaxPoolOptions options = {});
Tensor max_pool2d(Arg x, PerAxis kernel, MaxPoolOptions options = {});
Tensor max_pool3d(Arg x, PerAxis kernel, MaxPoolOptions options = {});
/// The same, and where each came from (return_indices): i64, the place among the elements of its channel.
ValuesAndIndices max_pool1d_with_indices(Arg x, PerAxis kernel, MaxPoolOptions options = {});
ValuesAndIndices max_pool2d_with_indices(Arg x, PerAxis kernel, MaxPoolOptions options = {});
ValuesAndIndices max_pool3d_with_indices(Arg x, PerAxis kernel, MaxPoolOptions options = {});

struct MaxUnpoolOptions {
  PerAxis stride = {};  // none: the kernel's extents
  PerAxis padding = 0;
  Dims output_size = {};  // the spatial extents, or the whole shape; none: (extent - 1) stride - 2 padding + kernel
};

/// Zeros, but x's elements at the indices of a max_pool; those that name one place, which windows that overlap may, are the same element and
/// stand there once (their mean).
Tensor max_unpool1d(Arg x, Arg indices, PerAxis kernel, MaxUnpoolOptions options = {});
Tensor max_unpool2d(Arg x, Arg indices, PerAxis kernel, MaxUnpoolOptions options = {});
Tensor max_unpool3d(Arg x, Arg indices, PerAxis kernel, MaxUnpoolOptions options = {});

struct AvgPoolOptions {
  PerAxis stride = {};  // none: the kernel's extents
  PerAxis padding = 0;  // zeros; at most half the kernel
  bool ceil_mode = false;
  bool count_include_pad = true;
  int64_t divisor_override = 0;  // 0: none
};

Tensor avg_pool1d(Arg x, PerAxis kernel, AvgPoolOptions options = {});
Tensor avg_pool2d(Arg x, PerAxis kernel, AvgPoolOptions options = {});
Tensor avg_pool3d(Arg x, PerAxis kernel, AvgPoolOptions options = {});

/// Means over windows that share x out among `extents` outputs: output i takes floor(i * in / out) to
/// ceil((i + 1) * in / out) - 1. An extent of -1 is x's own, PyTorch's None.
Tensor adaptive_avg_pool1d(Arg x, PerAxis extents);
Tensor adaptive_avg_pool2d(Arg x, PerAxis extents);
Tensor adaptive_avg_pool3d(Arg x, PerAxis extents);
/// The largest elements of the same windows; the gradient goes to the first of several.
Tensor adaptive_max_pool1d(Arg x, PerAxis extents);
Tensor adaptive_max_pool2d(Arg x, PerAxis extents);
Tensor adaptive_max_pool3d(Arg x, PerAxis extents);

}  // namespace weft
