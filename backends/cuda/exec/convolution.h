#pragma once
// Convolutions and their gradients, which cuDNN runs where it is installed.

#include <memory>

#include "weft/backends/cuda/exec/call.h"
#include "weft/backends/cuda/exec/library_call.h"
#include "weft/support/convolution.h"

namespace weft::cuda {

/// Which of a convolution's three tensors an op computes.
enum class Wanted { y, x, w };

/// Buffers: (x, w, y), (y, w, x) or (x, y, w), then scratch memory if there is some. Each lies row-major or with its channels last.
struct ConvolutionSpec : Convolution {
  Wanted wanted = Wanted::y;
  DType dtype = f32;  // of all three; sums are f32
  bool tf32 = false;  // factors in f32 are rounded to 10 bits of mantissa, as matrix units take them
};

struct ConvolutionTensor {
  Shape shape;
  Layout layout;
};
/// In the order of the buffers.
std::vector<ConvolutionTensor> tensors_of(const ConvolutionSpec& spec);
/// Of each, is it row-major, or are its channels last? Else neither the library nor a kernel runs it.
bool has_known_layouts(const Convolution& convolution);

/// May the library run it, wherever it is installed?
bool is_for_library(const ConvolutionSpec& spec);
/// May its matrix units multiply? In f32 they round to TF32.
bool takes_matrix_units(const ConvolutionSpec& spec);
/// How the library takes the tensors as they lie.
ConvolutionLayouts preferred_layouts(const ConvolutionSpec& spec);
/// Memory that the library may have beside a convolution's tensors, 0: none.
int64_t workspace_bytes(const ConvolutionSpec& spec);

/// `kernels` compute the same.
CallDescriptor describe(const ConvolutionSpec& spec, const KernelCall& kernels);
/// Throws weft::Error for what describe() does not make.
ConvolutionSpec convolution_of(const CallDescriptor& call);

// A kind of library call.
void require_convolution(const CallDescriptor& call, const Launch& launch);
std::unique_ptr<LibraryCall> plan_convolution(const std::shared_ptr<Context>& context, const CallDescriptor& call, const Launch& launch);

}  // namespace weft::cuda
