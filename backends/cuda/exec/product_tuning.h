#pragma once
// cuBLASLt's algorithms for a product, measured. What was found is a text, which goes with the program: by it the same library on the
// same kind of device computes the same bits, and another one, which could not read it, proposes anew.

#include <memory>
#include <optional>
#include <string>

#include "weft/backends/cuda/exec/context.h"
#include "weft/backends/cuda/exec/cublaslt.h"
#include "weft/backends/cuda/exec/product.h"

namespace weft::cuda {

/// The fastest of those that the library proposes, on numbers of no meaning in memory of its own; of equal ones the first. "": the
/// library is not there, or proposes nothing. Waits for the device. Throws weft::Error for what fails there, OutOfMemory.
std::string fastest_algorithm(const std::shared_ptr<Context>& context, const ProductSpec& spec, int64_t workspace_bytes);

/// The algorithm of such a text; none where it is another library's or device's. Throws weft::Error for no such text.
std::optional<MatmulAlgorithm> measured_algorithm(const std::string& text, const Context& context);

}  // namespace weft::cuda
