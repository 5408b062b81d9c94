#pragma once
// Products of matrices, which cuBLASLt runs where it is installed.

#include <memory>
#include <string>

#include "weft/backends/cuda/exec/call.h"
#include "weft/backends/cuda/exec/library_call.h"
#include "weft/runtime/product_call.h"

namespace weft::cuda {

/// What becomes of each element of a product, with what is added to it.
enum class Activation {
  none,
  gelu,           // in its tanh form
  gelu_gradient,  // the element times the derivative of that at an element of an operand
};

/// Its buffers are a, b, (bias, addend, or the operand of a gradient,) result, (the activation's operand), (the sum over rows), and
/// may be scratch memory.
struct ProductSpec : ProductCall {
  bool tf32 = false;  // factors in f32 are rounded to 10 bits of mantissa, as matrix units take them
  Activation activation = Activation::none;
  bool keeps_operand = false;  // what the activation is of, is a result too
  bool bias_gradient = false;  // the sum of the result's rows, [n], is one
  std::string algorithm = {};  // of the library's, the one that was measured to be the fastest (exec/product_tuning.h); "": none was

  size_t result_buffer() const { return ProductCall::result_buffer() + (activation == Activation::gelu_gradient ? 1 : 0); }
  size_t kept_buffer() const { return result_buffer() + 1; }
  size_t sum_buffer() const { return result_buffer() + (keeps_operand ? 2 : 1); }
  /// Without scratch memory.
  size_t buffers() const { return result_buffer() + 1 + (keeps_operand ? 1 : 0) + (bias_gradient ? 1 : 0); }
};

/// The library's conditions on what is behind a product: a matrix beside the result has columns of 8 elements, or several 8; a bias is
/// added where none is summed up, and no other product is added to. True without an activation.
bool has_possible_activation(const ProductSpec& spec);
/// How many bytes it touches of each buffer. Throws weft::Error where that is more than any memory has.
Dims buffer_bytes(const ProductSpec& spec);
/// May the library run it, wherever it is installed?
bool is_for_library(const ProductSpec& spec);
/// Memory that the library may have beside a product's operands, 0: none.
int64_t workspace_bytes(const ProductSpec& spec);

/// `kernels` compute the same.
CallDescriptor describe(const ProductSpec& spec, const KernelCall& kernels);
/// Throws weft::Error for what describe() does not make.
ProductSpec product_spec(const CallDescriptor& call);

// A kind of library call.
void require_product(const CallDescriptor& call, const Launch& launch);
std::unique_ptr<LibraryCall> plan_product(const std::shared_ptr<Context>& context, const CallDescriptor& call, const Launch& launch);

}  // namespace weft::cuda
