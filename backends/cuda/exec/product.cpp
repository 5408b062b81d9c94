#include "weft/backends/cuda/exec/product.h"

#include <algorithm>
#include <limits>

#include "weft/support/error.h"

namespace weft::cuda {

bool is_for_library(const ProductSpec& s) {
  constexpr int64_t most = std::numeric_limits<int32_t>::max();
  const bool fits = std::max({s.batch, s.m, s.n, s.k}) <= most && std::min({s.batch, s.m, s.n, s.k}) > 0;
  return fits && (s.dtype == f32 || s.dtype == f64 || s.dtype == bf16);
}

int64_t workspace_bytes(const ProductSpec& s) {
  if (!is_for_library(s)) return 0;
  // Sums of up to so many parts of k, in the type that they are summed in; more than the library asks for on its largest devices is no use.
  constexpr double parts = 16, most = 32 << 20;
  const double sums = static_cast<double>(s.batch) * static_cast<double>(s.m) * static_cast<double>(s.n) * (s.dtype == f64 ? 8 : 4);
  return static_cast<int64_t>(std::min(parts * sums, most));
}

CallDescriptor describe(const ProductSpec& s, const KernelCall& kernels) {
  CallDescriptor call = describe(kernels);
  call.call = "product";
  call.fields.insert({"tf32", int64_t{s.tf32}});
  add_fields(call, s);
  return call;
}

ProductSpec product_spec(const CallDescriptor& c) { return {product_of(c), c.flag("tf32")}; }

void require_product(const CallDescriptor& call, const Launch& launch) {
  const Dims needed = bytes_needed(product_spec(call));
  const size_t given = launch.buffers.size();
  if (given != needed.size() && given != needed.size() + 1)
    throw Error(ErrorKind::file, "a product takes {} buffers, and scratch memory, not {}", needed.size(), given);
  for (size_t i = 0; i < needed.size(); ++i)
    if (launch.buffers[i].bytes < needed[i])
      throw Error(ErrorKind::file, "buffer {} of a product has {} bytes and needs {}", i, launch.buffers[i].bytes, needed[i]);
}

}  // namespace weft::cuda
