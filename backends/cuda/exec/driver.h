#pragma once
// CUDA's driver: the functions of its library that weft calls, by their own names, with prototypes of weft's own. Nothing of CUDA is
// needed to build; tests/backends/cuda/prototypes_test.cpp compares these with the real header where that is installed.

#include <cstddef>
#include <cstdint>
#include <string>

namespace weft::cuda {

/// The library's types: handles are pointers, an address in the device's memory is a number.
using Result = int;
using Device = int;
using DevicePointer = unsigned long long;
struct ContextHandle;
struct ModuleHandle;
struct FunctionHandle;
struct StreamHandle;
struct EventHandle;
struct GraphHandle;
struct GraphExecHandle;

/// Its constants, as far as weft uses them.
inline constexpr Result success = 0;
inline constexpr Result error_out_of_memory = 2;
inline constexpr Result error_no_device = 100;
inline constexpr int attribute_multiprocessors = 16;
inline constexpr int attribute_major = 75;
inline constexpr int attribute_minor = 76;
inline constexpr unsigned stream_non_blocking = 1;
inline constexpr unsigned event_default = 0;
inline constexpr unsigned host_alloc_portable = 1;
inline constexpr int capture_thread_local = 1;
inline constexpr int jit_error_log = 5;
inline constexpr int jit_error_log_bytes = 6;

/// name, name in the library, parameters
// clang-format off
#define WEFT_DRIVER_FUNCTIONS(function)                                                                                        \
  function(init, cuInit, (unsigned flags))                                                                                     \
  function(driver_version, cuDriverGetVersion, (int* version))                                                                 \
  function(error_name, cuGetErrorName, (Result, const char** name))                                                            \
  function(error_text, cuGetErrorString, (Result, const char** text))                                                          \
  function(device_count, cuDeviceGetCount, (int* count))                                                                       \
  function(device, cuDeviceGet, (Device*, int number))                                                                         \
  function(device_name, cuDeviceGetName, (char* name, int bytes, Device))                                                      \
  function(device_attribute, cuDeviceGetAttribute, (int* value, int attribute, Device))                                        \
  function(device_memory, cuDeviceTotalMem_v2, (size_t* bytes, Device))                                                        \
  function(retain_context, cuDevicePrimaryCtxRetain, (ContextHandle**, Device))                                                \
  function(release_context, cuDevicePrimaryCtxRelease_v2, (Device))                                                            \
  function(create_context, cuCtxCreate_v2, (ContextHandle**, unsigned flags, Device))                                          \
  function(destroy_context, cuCtxDestroy_v2, (ContextHandle*))                                                                 \
  function(push_context, cuCtxPushCurrent_v2, (ContextHandle*))                                                                \
  function(pop_context, cuCtxPopCurrent_v2, (ContextHandle**))                                                                 \
  function(allocate, cuMemAlloc_v2, (DevicePointer*, size_t bytes))                                                            \
  function(release, cuMemFree_v2, (DevicePointer))                                                                             \
  function(allocate_pinned, cuMemHostAlloc, (void**, size_t bytes, unsigned flags))                                            \
  function(release_pinned, cuMemFreeHost, (void*))                                                                             \
  function(copy_in, cuMemcpyHtoDAsync_v2, (DevicePointer to, const void* from, size_t bytes, StreamHandle*))                   \
  function(copy_out, cuMemcpyDtoHAsync_v2, (void* to, DevicePointer from, size_t bytes, StreamHandle*))                        \
  function(create_stream, cuStreamCreate, (StreamHandle**, unsigned flags))                                                    \
  function(destroy_stream, cuStreamDestroy_v2, (StreamHandle*))                                                                \
  function(synchronize, cuStreamSynchronize, (StreamHandle*))                                                                  \
  function(stream_waits, cuStreamWaitEvent, (StreamHandle*, EventHandle*, unsigned flags))                                     \
  function(begin_capture, cuStreamBeginCapture_v2, (StreamHandle*, int mode))                                                  \
  function(end_capture, cuStreamEndCapture, (StreamHandle*, GraphHandle**))                                                    \
  function(instantiate_graph, cuGraphInstantiateWithFlags, (GraphExecHandle**, GraphHandle*, unsigned long long flags))        \
  function(destroy_graph, cuGraphDestroy, (GraphHandle*))                                                                      \
  function(destroy_graph_exec, cuGraphExecDestroy, (GraphExecHandle*))                                                         \
  function(launch_graph, cuGraphLaunch, (GraphExecHandle*, StreamHandle*))                                                     \
  function(create_event, cuEventCreate, (EventHandle**, unsigned flags))                                                       \
  function(destroy_event, cuEventDestroy_v2, (EventHandle*))                                                                   \
  function(record_event, cuEventRecord, (EventHandle*, StreamHandle*))                                                         \
  function(wait_for_event, cuEventSynchronize, (EventHandle*))                                                                 \
  function(elapsed, cuEventElapsedTime, (float* milliseconds, EventHandle* start, EventHandle* end))                           \
  function(load_module, cuModuleLoadDataEx, (ModuleHandle**, const void* image, unsigned options, int* names, void** values))  \
  function(unload_module, cuModuleUnload, (ModuleHandle*))                                                                     \
  function(find_function, cuModuleGetFunction, (FunctionHandle**, ModuleHandle*, const char* name))                            \
  function(launch_kernel, cuLaunchKernel,                                                                                      \
           (FunctionHandle*, unsigned blocks_x, unsigned blocks_y, unsigned blocks_z, unsigned threads_x, unsigned threads_y,  \
            unsigned threads_z, unsigned shared_bytes, StreamHandle*, void** parameters, void** extra))
// clang-format on

struct Driver {
#define WEFT_DRIVER_MEMBER(name, symbol, parameters) Result(*name) parameters = nullptr;
  WEFT_DRIVER_FUNCTIONS(WEFT_DRIVER_MEMBER)
#undef WEFT_DRIVER_MEMBER

  /// Throws weft::Error unless `result` is success: "cuLaunchKernel: invalid argument (CUDA_ERROR_INVALID_VALUE)".
  void check(Result result, const std::string& what) const;
  /// "invalid argument (CUDA_ERROR_INVALID_VALUE)"
  std::string describe(Result result) const;
};

/// The driver, started once a process. `library`: its file; "": the environment variable WEFT_CUDA_DRIVER decides, else libcuda.so.1, as
/// the driver's package installs it. Throws weft::Error saying what is missing.
const Driver& driver(const std::string& library = {});

}  // namespace weft::cuda
