#pragma once
// Convolutions, by oneDNN or by our own transforms (winograd.h). convolution.cpp and formats.cpp alone know how oneDNN 2 and 3 differ in them.

#include <memory>

#include "weft/backends/cpu/exec/answer.h"
#include "weft/backends/cpu/exec/task.h"
#include "weft/support/convolution.h"
#include "weft/support/dtype.h"

namespace weft::cpu {

/// A convolution of f32 or bf16, which is summed in f32, and which of its three tensors is wanted.
struct ConvolutionSpec : Convolution {
  enum class Wanted { y, x, w };
  Wanted wanted = Wanted::y;
  DType dtype = f32;
  /// The batch is computed in so many parts, each by one thread. Where w is wanted, each part is a result of its own.
  int64_t slices = 1;
};

/// Can oneDNN on this machine convolve elements of this type, by instructions for them?
bool supports_convolution(DType dtype);

/// Has the library names for the formats?
bool knows_formats(const ConvolutionSpec& spec);

/// How the library would like the operands and the result to lie. Only formats that need no padding are considered.
ConvolutionLayouts preferred_layouts(const ConvolutionSpec& spec);

/// Has the library nothing but its plain loops, whether the operands stay as they lie or go where it likes them best?
bool has_only_plain_loops(const ConvolutionSpec& spec);

/// Has the library but products of matrices, for which it copies the windows together, with operands where it likes them best?
bool has_only_products(const ConvolutionSpec& spec);

/// Of bf16, where it has only products: measured on the gradient of a kernel over 3 channels, they take more than three times as long as
/// its kernels for f32.
bool is_faster_in_f32(const ConvolutionSpec& spec);

/// Is what `forward` gives better computed as the x of the convolution `data` (passes/mirror.h), the reorder of w included?
bool runs_faster_as(const ConvolutionSpec& data, const ConvolutionSpec& forward);

/// How many parts of the batch are worth a thread each on `cores` cores.
int64_t useful_slices(const ConvolutionSpec& spec, int cores);

/// What the library has for the convolution. A format's name decides nothing: several describe the same memory where extents
/// are 1, and of them one is taken that is not left to plain loops. Throws weft::Error where it has nothing.
Answer convolution_answer(const ConvolutionSpec& spec);

/// buffers: the two operands, the result, (scratch, if `scratch_bytes` is not 0; else the
/// task has its own). Throws weft::Error when that is too little.
std::unique_ptr<Task> make_convolution(const ConvolutionSpec& spec, int64_t scratch_bytes);

}  // namespace weft::cpu
