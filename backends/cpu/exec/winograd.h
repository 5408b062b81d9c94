#pragma once
// Convolutions with kernels of 3 x 3 by Winograd's F(4x4, 3x3): transforms of tiles around 36 products of matrices, which multiply a
// quarter as often as the sum itself.

#include <memory>

#include "weft/backends/cpu/exec/answer.h"
#include "weft/backends/cpu/exec/convolution.h"
#include "weft/backends/cpu/exec/task.h"

namespace weft::cpu {

/// Can it be computed so at all: f32, a kernel of 3 x 3, no stride, dilation or groups, channels in whole vectors, whose images lie by
/// sample and with channels, or blocks of them, innermost, and a row-major w? A spec without layouts is taken for one that lies well.
bool has_winograd(const ConvolutionSpec& spec);

/// How its tensors are to lie where the library would have them as in `liked`: images so too, if they can.
ConvolutionLayouts winograd_layouts(const ConvolutionSpec& spec, const ConvolutionLayouts& liked);

/// Is it worth it? An estimate from extents alone.
bool is_faster_by_winograd(const ConvolutionSpec& spec);

/// spec.slices parts, of tiles or of output channels; where w is wanted, of the batch.
Answer winograd_answer(const ConvolutionSpec& spec);

/// buffers: as those of make_convolution (convolution.h).
std::unique_ptr<Task> make_winograd(const ConvolutionSpec& spec, int64_t scratch_bytes);

}  // namespace weft::cpu
