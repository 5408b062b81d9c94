#pragma once
// What cuBLASLt can do behind a product beyond what all libraries can (program/epilogue.h), and what a product's body says of it.
//
// GELU is the tanh form. Of its accuracy nothing is documented, so it is left to weft's kernels where f32 is to be f32. ReLU is left to
// them everywhere: the library's turns nan into 0.

#include <optional>
#include <vector>

#include "weft/backends/cuda/exec/product.h"
#include "weft/ir/graph.h"

namespace weft::cuda {

/// As Target::activations asks, for a product of this element type.
std::vector<const ir::Graph*> activations_of(DType dtype, bool tf32);

struct ProductEpilogue {
  bool bias = false, addend = false;  // the body's input 1
  Activation activation = Activation::none;
  std::optional<int> operand;  // the body's input that a gradient is taken at
  ir::Value before;            // what the activation is of
  bool keeps_operand = false;  // that is a result too
  bool bias_gradient = false;  // so is the sum of the first result over its rows
};

/// None, where neither the library nor weft's kernels can do it.
std::optional<ProductEpilogue> product_epilogue_of(const ir::Op& product, const ir::Graph& body, bool tf32);

/// The call of a product, which the target has accepted.
ProductSpec product_spec_of(const ir::Op& product, bool tf32);

}  // namespace weft::cuda
