// The driver's functions, by their own names: errors, devices, contexts, memory.

#include "weft/backends/cuda/exec/driver.h"

#include <cstdlib>
#include <cstring>
#include <map>

#include "weft/tests/fake_cuda/call.h"

using namespace weft::cuda;
namespace fake = weft::test::fake_cuda;
using fake::call;
using fake::current, fake::device, fake::anywhere, fake::outside_of_captures, fake::to_release;

namespace {

/// The one device has one primary context.
ContextHandle* context() { return reinterpret_cast<ContextHandle*>(&device()); }

const std::map<Result, std::pair<const char*, const char*>>& errors() {
  static const std::map<Result, std::pair<const char*, const char*>> all = {
      {fake::invalid_value, {"CUDA_ERROR_INVALID_VALUE", "invalid argument"}},
      {error_out_of_memory, {"CUDA_ERROR_OUT_OF_MEMORY", "out of memory"}},
      {fake::not_initialized, {"CUDA_ERROR_NOT_INITIALIZED", "initialization error"}},
      {error_no_device, {"CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected"}},
      {fake::invalid_context, {"CUDA_ERROR_INVALID_CONTEXT", "invalid device context"}},
      {fake::invalid_ptx, {"CUDA_ERROR_INVALID_PTX", "a PTX JIT compilation failed"}},
      {fake::invalid_handle, {"CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"}},
      {fake::not_found, {"CUDA_ERROR_NOT_FOUND", "named symbol not found"}},
      {fake::capture_unsupported, {"CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED", "operation not permitted when stream is capturing"}},
      {fake::capture_invalidated, {"CUDA_ERROR_STREAM_CAPTURE_INVALIDATED", "operation failed due to a previous error during capture"}},
  };
  return all;
}

}  // namespace

extern "C" {

Result cuInit(unsigned flags) {
  fake::Device& d = device();
  const std::lock_guard lock(d.mutex);
  if (const auto wanted = d.failures.find("cuInit"); wanted != d.failures.end()) return wanted->second.first;
  if (flags != 0) return fake::invalid_value;
  d.started = true;
  return success;
}

Result cuDriverGetVersion(int* version) {
  *version = 12040;
  return success;
}

Result cuGetErrorName(Result result, const char** name) {
  if (result == fake::illegal_address) return *name = "CUDA_ERROR_ILLEGAL_ADDRESS", success;
  const auto found = errors().find(result);
  *name = found == errors().end() ? nullptr : found->second.first;
  return *name ? success : fake::invalid_value;
}

/// The driver says "an illegal memory access was encountered"; the machine knows more.
Result cuGetErrorString(Result result, const char** text) {
  if (result == fake::illegal_address) return *text = device().last_fault.c_str(), success;
  const auto found = errors().find(result);
  *text = found == errors().end() ? nullptr : found->second.second;
  return *text ? success : fake::invalid_value;
}

Result cuDeviceGetCount(int* count) {
  return call("cuDeviceGetCount", [&](auto&) { return *count = 1, success; }, anywhere);
}
Result cuDeviceGet(Device* out, int number) {
  return call("cuDeviceGet", [&](auto&) { return *out = 0, number == 0 ? success : fake::invalid_value; }, anywhere);
}
Result cuDeviceGetName(char* name, int bytes, Device) {
  return call(
      "cuDeviceGetName", [&](auto&) { return std::strncpy(name, "a GPU that is none", static_cast<size_t>(bytes)), success; }, anywhere);
}
Result cuDeviceGetAttribute(int* value, int attribute, Device) {
  return call(
      "cuDeviceGetAttribute",
      [&](fake::Device& d) {
        switch (attribute) {
          case attribute_multiprocessors: return *value = 4, success;
          case attribute_major: return *value = d.major, success;
          case attribute_minor: return *value = d.minor, success;
          default: return fake::invalid_value;
        }
      },
      anywhere);
}
Result cuDeviceTotalMem_v2(size_t* bytes, Device) {
  return call("cuDeviceTotalMem_v2", [&](fake::Device& d) { return *bytes = d.memory_bytes, success; }, anywhere);
}

Result cuDevicePrimaryCtxRetain(ContextHandle** out, Device) {
  return call("cuDevicePrimaryCtxRetain", [&](fake::Device& d) { return ++d.report.contexts, *out = context(), success; }, anywhere);
}
Result cuDevicePrimaryCtxRelease_v2(Device) {
  return call("cuDevicePrimaryCtxRelease_v2",
              [&](fake::Device& d) {
                if (d.report.contexts == 0) return fake::invalid_context;
                return --d.report.contexts, success;
              },
              {.without_context = true, .after_fault = true});
}
Result cuCtxPushCurrent_v2(ContextHandle* pushed) {
  return call("cuCtxPushCurrent_v2",
              [&](fake::Device& d) {
                const bool is_primary = pushed == context() && d.report.contexts > d.own_contexts.size();
                if (!is_primary && !d.own_contexts.contains(pushed)) return fake::invalid_context;
                return current.push_back(pushed), success;
              },
              {.without_context = true, .after_fault = true});
}
Result cuCtxCreate_v2(ContextHandle** out, unsigned, Device) {
  return call("cuCtxCreate_v2",
              [&](fake::Device& d) {
                if (d.refuses_contexts) return fake::illegal_address;
                *out = reinterpret_cast<ContextHandle*>(new char);
                d.own_contexts.insert(*out), current.push_back(*out), ++d.report.contexts;
                return success;
              },
              {.without_context = true, .after_fault = true});
}
Result cuCtxDestroy_v2(ContextHandle* destroyed) {
  return call("cuCtxDestroy_v2",
              [&](fake::Device& d) {
                if (d.own_contexts.erase(destroyed) == 0) return fake::invalid_context;
                delete reinterpret_cast<char*>(destroyed);
                d.faults.erase(destroyed);
                return --d.report.contexts, success;
              },
              {.without_context = true, .after_fault = true});
}
Result cuCtxPopCurrent_v2(ContextHandle** popped) {
  if (current.empty()) return fake::invalid_context;
  *popped = current.back();
  current.pop_back();
  return success;
}

Result cuMemAlloc_v2(DevicePointer* out, size_t bytes) {
  return call(
      "cuMemAlloc_v2",
      [&](fake::Device& d) {
        if (bytes == 0) return fake::invalid_value;
        if (d.report.bytes + bytes > d.memory_bytes) return error_out_of_memory;
        *out = d.memory.allocate("memory of the device", bytes);
        d.allocations[*out] = bytes;
        d.report.bytes += bytes;
        d.report.most_bytes = std::max(d.report.most_bytes, d.report.bytes);
        return success;
      },
      outside_of_captures);
}
Result cuMemFree_v2(DevicePointer memory) {
  return call(
      "cuMemFree_v2",
      [&](fake::Device& d) {
        const auto found = d.allocations.find(memory);
        if (found == d.allocations.end()) return fake::invalid_value;
        d.run_all();  // the driver waits for all work
        d.memory.free(memory);
        d.report.bytes -= found->second;
        d.allocations.erase(found);
        return success;
      },
      to_release);
}
Result cuMemHostAlloc(void** out, size_t bytes, unsigned) {
  return call(
      "cuMemHostAlloc",
      [&](fake::Device& d) {
        if (bytes == 0) return fake::invalid_value;
        *out = std::malloc(bytes);
        std::memset(*out, 0xff, bytes);
        d.pinned[static_cast<std::byte*>(*out)] = bytes;
        return success;
      },
      outside_of_captures);
}
Result cuMemFreeHost(void* memory) {
  return call(
      "cuMemFreeHost",
      [&](fake::Device& d) {
        if (!d.pinned.contains(static_cast<std::byte*>(memory))) return fake::invalid_value;
        d.run_all();
        d.pinned.erase(static_cast<std::byte*>(memory));
        std::free(memory);
        return success;
      },
      to_release);
}

}  // extern "C"
