#include "weft/backends/cuda/exec/product.h"

#include <algorithm>
#include <limits>

#include "weft/support/error.h"

namespace weft::cuda {
namespace {

/// Throws weft::Error where that is more than any memory has.
int64_t bytes_of(DType dtype, Dims extents) {
  extents.push_back(static_cast<int64_t>(size_of(dtype)));
  return Shape(std::move(extents)).numel();
}

}  // namespace

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
  call.fields.insert({{"batch", s.batch},
                      {"m", s.m},
                      {"n", s.n},
                      {"k", s.k},
                      {"transpose_a", int64_t{s.transpose_a}},
                      {"transpose_b", int64_t{s.transpose_b}},
                      {"dtype", std::string(name_of(s.dtype))},
                      {"bias", int64_t{s.bias}},
                      {"addend", int64_t{s.addend}},
                      {"tf32", int64_t{s.tf32}}});
  return call;
}

ProductSpec product_of(const CallDescriptor& c) {
  ProductSpec s;
  s.batch = c.count("batch"), s.m = c.count("m"), s.n = c.count("n"), s.k = c.count("k");
  s.transpose_a = c.flag("transpose_a"), s.transpose_b = c.flag("transpose_b");
  s.dtype = c.dtype("dtype"), s.bias = c.flag("bias"), s.addend = c.flag("addend"), s.tf32 = c.flag("tf32");
  if (s.bias && s.addend) throw Error(ErrorKind::file, "a product with both bias and addend: no call of weft is so");
  return s;
}

void require_product(const CallDescriptor& call, const Launch& launch) {
  const ProductSpec s = product_of(call);
  const int64_t result = bytes_of(s.dtype, {s.batch, s.m, s.n});
  Dims needed{bytes_of(s.dtype, {s.batch, s.m, s.k}), bytes_of(s.dtype, {s.batch, s.k, s.n})};
  if (s.bias) needed.push_back(bytes_of(s.dtype, {s.n}));
  if (s.addend) needed.push_back(result);
  needed.push_back(result);
  const size_t given = launch.buffers.size();
  if (given != needed.size() && given != needed.size() + 1)
    throw Error(ErrorKind::file, "a product takes {} buffers, and scratch memory, not {}", needed.size(), given);
  for (size_t i = 0; i < needed.size(); ++i)
    if (launch.buffers[i].bytes < needed[i])
      throw Error(ErrorKind::file, "buffer {} of a product has {} bytes and needs {}", i, launch.buffers[i].bytes, needed[i]);
}

}  // namespace weft::cuda
