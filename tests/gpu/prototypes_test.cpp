// weft's own prototypes of the driver's functions and its constants, beside the real header's where that is installed.

#include "weft/backends/cuda/exec/driver.h"
#include "weft/tests/catch.h"

#if __has_include(<cuda.h>)
#include <cuda.h>

#include "weft/tests/gpu/signature.h"

#if CUDA_VERSION >= 13000
// The library still has it, the header no longer: as the one of CUDA 12 has it.
extern "C" CUresult CUDAAPI cuCtxCreate_v2(CUcontext*, unsigned int flags, CUdevice);
#endif

namespace {

using namespace weft::cuda;
using weft::test::SignatureOf;

// What CUDA 13 calls cuEventElapsedTime has another name in the library, and the same prototype.
#define WEFT_SAME(name, symbol, parameters) \
  static_assert(std::is_same_v<SignatureOf<decltype(Driver::name)>, SignatureOf<decltype(&::symbol)>>, #symbol);
WEFT_DRIVER_FUNCTIONS(WEFT_SAME)
#undef WEFT_SAME

}  // namespace

TEST_CASE("gpu: the driver's constants are the real header's") {
  CHECK(success == CUDA_SUCCESS);
  CHECK(error_out_of_memory == CUDA_ERROR_OUT_OF_MEMORY);
  CHECK(error_no_device == CUDA_ERROR_NO_DEVICE);
  CHECK(attribute_multiprocessors == CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
  CHECK(attribute_major == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
  CHECK(attribute_minor == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
  CHECK(stream_non_blocking == CU_STREAM_NON_BLOCKING);
  CHECK(event_default == CU_EVENT_DEFAULT);
  CHECK(host_alloc_portable == CU_MEMHOSTALLOC_PORTABLE);
  CHECK(capture_thread_local == CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
  CHECK(jit_error_log == CU_JIT_ERROR_LOG_BUFFER);
  CHECK(jit_error_log_bytes == CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES);
  CHECK(sizeof(DevicePointer) == sizeof(CUdeviceptr));
}

#else

TEST_CASE("gpu: the driver's constants are the real header's") { WARN("skipped: cuda.h is not installed"); }

#endif
