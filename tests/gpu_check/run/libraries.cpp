#include "weft/tests/gpu_check/run/libraries.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <vector>

#include "weft/backends/cuda/exec/cublaslt.h"
#include "weft/backends/cuda/exec/library_file.h"
#include "weft/support/dtype.h"
#include "weft/support/error.h"
#include "weft/support/philox.h"
#include "weft/tests/gpu_check/run/timing.h"

namespace weft::gpu_check {
namespace {

template <class Function>
bool find(void* library, const char* name, Function& function) {
  function = library ? reinterpret_cast<Function>(dlsym(library, name)) : nullptr;
  return function;
}

/// Median seconds of a call, over groups of them between which the device is waited for.
double seconds_of(cuda::Context& context, const std::function<void()>& call) {
  constexpr int calls = 10, groups = 9;
  call();
  context.synchronize();
  std::vector<double> all;
  for (int g = 0; g < groups; ++g) {
    const auto start = Clock::now();
    for (int n = 0; n < calls; ++n) call();
    context.synchronize();
    all.push_back(seconds_since(start) / calls);
  }
  std::nth_element(all.begin(), all.begin() + groups / 2, all.end());
  return all[groups / 2];
}

void require(int status, const char* what) {
  if (status != 0) throw Error(ErrorKind::device, "{} returned {}", what, status);
}

/// Numbers in [-1, 1), both as bf16 and, two of them at a time, as f32; so many are drawn, and are there again and again.
std::vector<std::byte> numbers(size_t bytes) {
  constexpr size_t drawn = 1 << 20;
  std::vector<std::byte> all(bytes);
  for (size_t e = 0; e < drawn / 2; ++e) {
    const bf16_t x = to_bf16(static_cast<float>(2 * uniform_from_bits(static_cast<uint32_t>(e) * 2654435769u) - 1));
    std::memcpy(all.data() + 2 * e, &x, 2);
  }
  for (size_t at = drawn; at < bytes; at += drawn) std::memcpy(all.data() + at, all.data(), std::min(drawn, bytes - at));
  return all;
}

/// cuBLAS' functions, by the names and with the parameters of its cublas_api.h.
struct Blas {
  int (*create)(cuda::BlasHandle**) = nullptr;
  int (*destroy)(cuda::BlasHandle*) = nullptr;
  int (*set_stream)(cuda::BlasHandle*, cuda::StreamHandle*) = nullptr;
  int (*product)(cuda::BlasHandle*, int op_a, int op_b, int m, int n, int k, const void* alpha, const void* a, int type_a, int lda,
                 const void* b, int type_b, int ldb, const void* beta, void* c, int type_c, int ldc, int compute, int algorithm) = nullptr;

  bool load() {
    void* const library =
        cuda::open_library(
            {"WEFT_CUBLAS", {"libcublas.so.13", "libcublas.so.12", "libcublas.so.11"}, {"nvidia/cu13/lib", "nvidia/cublas/lib"}})
            .handle;
    return find(library, "cublasCreate_v2", create) && find(library, "cublasDestroy_v2", destroy) &&
           find(library, "cublasSetStream_v2", set_stream) && find(library, "cublasGemmEx", product);
  }
};

constexpr int any_algorithm = -1;  // of its cublas_api.h

std::map<std::string, double> rates_of(const Blas& blas, cuda::Context& context) {
  cuda::BlasHandle* handle = nullptr;
  require(blas.create(&handle), "cublasCreate");
  require(blas.set_stream(handle, context.stream()), "cublasSetStream");
  constexpr int n = 8192, as_it_is = cuda::blas_no_transpose;
  constexpr size_t bytes = size_t{4} * n * n;
  const cuda::DeviceBuffer a = context.buffer(bytes), b = context.buffer(bytes), c = context.buffer(bytes);
  const std::vector<std::byte> drawn = numbers(bytes);
  for (const cuda::DeviceBuffer* operand : {&a, &b}) context.copy_in_now(operand->get(), drawn.data(), bytes);
  const float one = 1, zero = 0;
  std::map<std::string, double> rates;
  const auto measure = [&](const std::string& name, int type, int compute) {
    const auto multiply = [&] {
      require(blas.product(handle, as_it_is, as_it_is, n, n, n, &one, a.get(), type, n, b.get(), type, n, &zero, c.get(), type, n, compute,
                           any_algorithm),
              "cublasGemmEx");
    };
    rates[name] = 2.0 * n * n * n / seconds_of(context, multiply);
  };
  measure("f32", cuda::blas_f32, cuda::blas_compute_f32);
  measure("f32 with TF32", cuda::blas_f32, cuda::blas_compute_tf32);
  measure("bf16", cuda::blas_bf16, cuda::blas_compute_f32);
  blas.destroy(handle);
  return rates;
}

}  // namespace

double driver_copy_rate(cuda::Context& context) {
  const char* set = std::getenv("WEFT_CUDA_DRIVER");
  int (*copy)(cuda::DevicePointer, cuda::DevicePointer, size_t, cuda::StreamHandle*) = nullptr;
  void* driver = dlopen(set && *set ? set : "libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!find(driver, "cuMemcpyDtoDAsync_v2", copy)) return 0;
  constexpr size_t bytes = size_t{1} << 28;
  const cuda::DeviceBuffer from = context.buffer(bytes), to = context.buffer(bytes);
  const auto address = [](const cuda::DeviceBuffer& b) { return reinterpret_cast<cuda::DevicePointer>(b.get()); };
  return 2.0 * bytes / seconds_of(context, [&] {
           context.with_current(
               [&] { context.driver().check(copy(address(to), address(from), bytes, context.stream()), "cuMemcpyDtoDAsync"); });
         });
}

std::map<std::string, double> library_product_rates(cuda::Context& context, std::string& why) {
  Blas blas;
  std::map<std::string, double> rates;
  if (!blas.load()) return why = "libcublas is not here: products are fractions of the fastest of the table", rates;
  try {
    context.with_current([&] { rates = rates_of(blas, context); });
  } catch (const std::exception& e) {
    why = std::string("cuBLAS was not measured: ") + e.what();
  }
  return rates;
}

}  // namespace weft::gpu_check
