#pragma once
// Calls that multiply matrices: what those of all backends say, as plain data and in a descriptor.

#include "weft/runtime/call_descriptor.h"
#include "weft/support/matrix_product.h"

namespace weft {

/// Its buffers are a, b, (bias or addend,) result.
struct ProductCall : MatrixProduct {
  DType dtype = f32;
  bool bias = false;    // the third buffer is [n], added to every row
  bool addend = false;  // the third buffer has the result's shape and is added to it: mostly it is the result's own memory

  size_t result_buffer() const { return bias || addend ? 3 : 2; }
};

void add_fields(CallDescriptor& call, const ProductCall& product);
/// Throws weft::Error for what add_fields() does not write.
ProductCall product_of(const CallDescriptor& call);
/// How many bytes it touches of each buffer. Throws weft::Error where that is more than any memory has.
Dims bytes_needed(const ProductCall& product);

}  // namespace weft
