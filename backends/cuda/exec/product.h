#pragma once
// Products of matrices, which cuBLASLt runs where it is installed.

#include <memory>

#include "weft/backends/cuda/exec/call.h"
#include "weft/backends/cuda/exec/library_call.h"
#include "weft/runtime/product_call.h"

namespace weft::cuda {

/// Behind its buffers may be scratch memory.
struct ProductSpec : ProductCall {
  bool tf32 = false;  // factors in f32 are rounded to 10 bits of mantissa, as matrix units take them
};

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
