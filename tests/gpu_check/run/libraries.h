#pragma once
// What NVIDIA's own code reaches on the GPU, to measure against.

#include <map>
#include <string>

#include "weft/backends/cuda/exec/context.h"

namespace weft::gpu_check {

/// Bytes a second, read and written, of the driver's copy of a large block; 0 where the driver has none.
double driver_copy_rate(cuda::Context& context);

/// FLOP/s of cuBLAS' product of two large matrices: "f32", "bf16", and "f32 with TF32"; empty, with `why`, where the library is not there.
std::map<std::string, double> library_product_rates(cuda::Context& context, std::string& why);

}  // namespace weft::gpu_check
