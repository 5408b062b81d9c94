// The driver's functions, by their own names.

#include "weft/backends/cuda/exec/driver.h"

#include <cstdlib>
#include <cstring>
#include <map>
#include <utility>

#include "weft/tests/fake_cuda/device.h"

using namespace weft::cuda;
namespace fake = weft::test::fake_cuda;

namespace {

thread_local std::vector<ContextHandle*> current;
thread_local fake::Stream* capturing = nullptr;  // by this thread

fake::Device& device() { return fake::Device::instance(); }
/// The one device has one context.
ContextHandle* context() { return reinterpret_cast<ContextHandle*>(&device()); }

struct Allowed {
  bool without_context = false;
  bool while_capturing = true;
  bool after_fault = false;
};

/// Does `what` once every check has passed: the driver was started, a context is current, nothing has failed, no test wants this to fail.
template <class Do>
Result call(const char* name, Do what, Allowed allowed = {}) {
  fake::Device& d = device();
  const std::lock_guard lock(d.mutex);
  if (const auto wanted = d.failures.find(name); wanted != d.failures.end() && wanted->second.second-- == 0) {
    const Result result = wanted->second.first;
    d.failures.erase(wanted);
    return result;
  }
  if (!d.started) return fake::not_initialized;
  if (!allowed.without_context && current.empty()) return fake::invalid_context;
  if (!d.fault.empty() && !allowed.after_fault) return fake::illegal_address;
  if (capturing && !allowed.while_capturing) {
    capturing->invalidated = true;
    return fake::capture_unsupported;
  }
  const Result result = what(d);
  return d.fault.empty() || allowed.after_fault ? result : fake::illegal_address;
}

constexpr Allowed anywhere{.without_context = true};
constexpr Allowed outside_of_captures{.while_capturing = false};
constexpr Allowed to_release{.while_capturing = false, .after_fault = true};

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

template <class T>
std::shared_ptr<fake::Stream> stream_of(T* handle) {
  return device().streams.find(handle);
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
  if (result == fake::illegal_address) return *text = device().fault.c_str(), success;
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
                if (pushed != context() || d.report.contexts == 0) return fake::invalid_context;
                return current.push_back(pushed), success;
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

Result cuMemcpyHtoDAsync_v2(DevicePointer to, const void* from, size_t bytes, StreamHandle* handle) {
  return call("cuMemcpyHtoDAsync_v2", [&](fake::Device& d) {
    const auto stream = stream_of(handle);
    if (!stream) return fake::invalid_handle;
    const auto* host = static_cast<const std::byte*>(from);
    if (d.is_pinned(host, bytes)) return d.enqueue(*stream, [&d, to, host, bytes] { d.copy_in(to, host, bytes); });
    // Other memory the driver reads before it returns; a graph would read it when nobody knows what is there.
    if (stream->captured) return fake::invalid_value;
    return d.enqueue(*stream, [&d, to, copy = std::vector<std::byte>(host, host + bytes)] { d.copy_in(to, copy.data(), copy.size()); });
  });
}
Result cuMemcpyDtoHAsync_v2(void* to, DevicePointer from, size_t bytes, StreamHandle* handle) {
  return call("cuMemcpyDtoHAsync_v2", [&](fake::Device& d) {
    const auto stream = stream_of(handle);
    if (!stream) return fake::invalid_handle;
    return d.enqueue(*stream, [&d, to, from, bytes] { d.copy_out(static_cast<std::byte*>(to), from, bytes); });
  });
}

Result cuStreamCreate(StreamHandle** out, unsigned) {
  return call("cuStreamCreate",
              [&](fake::Device& d) { return *out = d.streams.add<StreamHandle>(std::make_shared<fake::Stream>()), success; });
}
Result cuStreamDestroy_v2(StreamHandle* handle) {
  return call("cuStreamDestroy_v2",
              [&](fake::Device& d) {
                const auto stream = stream_of(handle);
                if (!stream) return fake::invalid_handle;
                d.run(*stream, stream->asked);
                if (capturing == stream.get()) capturing = nullptr;
                d.streams.remove(handle);
                return success;
              },
              {.after_fault = true});
}
Result cuStreamSynchronize(StreamHandle* handle) {
  return call(
      "cuStreamSynchronize",
      [&](fake::Device& d) {
        const auto stream = stream_of(handle);
        if (!stream) return fake::invalid_handle;
        d.run(*stream, stream->asked);
        return success;
      },
      outside_of_captures);
}
Result cuStreamBeginCapture_v2(StreamHandle* handle, int) {
  return call("cuStreamBeginCapture_v2", [&](fake::Device&) {
    const auto stream = stream_of(handle);
    if (!stream || stream->captured || capturing) return fake::invalid_value;
    stream->captured = std::make_shared<fake::Graph>();
    capturing = stream.get();
    return success;
  });
}
Result cuStreamEndCapture(StreamHandle* handle, GraphHandle** out) {
  return call("cuStreamEndCapture", [&](fake::Device& d) {
    const auto stream = stream_of(handle);
    if (!stream || !stream->captured) return fake::invalid_value;
    capturing = nullptr;
    const auto graph = std::exchange(stream->captured, nullptr);
    if (std::exchange(stream->invalidated, false)) return *out = nullptr, fake::capture_invalidated;
    return *out = d.graphs.add<GraphHandle>(graph), ++d.report.captures, success;
  });
}
Result cuGraphInstantiateWithFlags(GraphExecHandle** out, GraphHandle* handle, unsigned long long) {
  return call("cuGraphInstantiateWithFlags", [&](fake::Device& d) {
    const auto graph = d.graphs.find(handle);
    if (!graph) return fake::invalid_handle;
    return *out = d.executables.add<GraphExecHandle>(std::make_shared<fake::Graph>(*graph)), success;
  });
}
Result cuGraphDestroy(GraphHandle* handle) {
  return call("cuGraphDestroy", [&](fake::Device& d) { return d.graphs.remove(handle) ? success : fake::invalid_handle; },
              {.after_fault = true});
}
Result cuGraphExecDestroy(GraphExecHandle* handle) {
  return call("cuGraphExecDestroy", [&](fake::Device& d) { return d.executables.remove(handle) ? success : fake::invalid_handle; },
              {.after_fault = true});
}
Result cuGraphLaunch(GraphExecHandle* handle, StreamHandle* to) {
  return call("cuGraphLaunch", [&](fake::Device& d) {
    const auto graph = d.executables.find(handle);
    const auto stream = stream_of(to);
    if (!graph || !stream || stream->captured) return fake::invalid_handle;
    ++d.report.graph_launches;
    return d.enqueue(*stream, [graph] {
      for (const fake::Work& work : graph->work) work();
    });
  });
}

Result cuEventCreate(EventHandle** out, unsigned) {
  return call("cuEventCreate", [&](fake::Device& d) { return *out = d.events.add<EventHandle>(std::make_shared<fake::Event>()), success; });
}
Result cuEventDestroy_v2(EventHandle* handle) {
  return call("cuEventDestroy_v2", [&](fake::Device& d) { return d.events.remove(handle) ? success : fake::invalid_handle; },
              {.after_fault = true});
}
Result cuEventRecord(EventHandle* handle, StreamHandle* to) {
  return call("cuEventRecord", [&](fake::Device& d) {
    const auto event = d.events.find(handle);
    const auto stream = stream_of(to);
    if (!event || !stream || stream->captured) return fake::invalid_handle;
    const Result result = d.enqueue(*stream, [&d, event] { event->milliseconds = d.clock; });
    event->stream = stream.get(), event->number = stream->asked;
    return result;
  });
}
Result cuEventSynchronize(EventHandle* handle) {
  return call(
      "cuEventSynchronize",
      [&](fake::Device& d) {
        const auto event = d.events.find(handle);
        if (!event) return fake::invalid_handle;
        if (event->number > 0) d.run(*event->stream, event->number);
        return success;
      },
      outside_of_captures);
}
Result cuEventElapsedTime(float* milliseconds, EventHandle* start, EventHandle* end) {
  return call("cuEventElapsedTime", [&](fake::Device& d) {
    const auto first = d.events.find(start), last = d.events.find(end);
    if (!first || !last || first->number == 0 || last->number == 0) return fake::invalid_handle;
    return *milliseconds = static_cast<float>(last->milliseconds - first->milliseconds), success;
  });
}

Result cuModuleLoadDataEx(ModuleHandle** out, const void* image, unsigned options, int* names, void** values) {
  return call(
      "cuModuleLoadDataEx",
      [&](fake::Device& d) {
        const auto refuse = [&](const std::string& why) {
          for (unsigned i = 0; i < options; ++i)
            if (names[i] == jit_error_log && i + 1 < options && names[i + 1] == jit_error_log_bytes)
              std::strncpy(static_cast<char*>(values[i]), why.c_str(), reinterpret_cast<size_t>(values[i + 1]) - 1);
          return fake::invalid_ptx;
        };
        const auto module = std::make_shared<fake::Module>();
        try {
          module->machine = std::make_unique<weft::test::ptx::Machine>(static_cast<const char*>(image), d.memory);
        } catch (const weft::test::ptx::Fault& fault) {
          return refuse(fault.what());
        }
        const std::string needed = module->machine->target(), has = "sm_" + std::to_string(10 * d.major + d.minor);
        if (std::atoi(needed.c_str() + 3) > std::atoi(has.c_str() + 3))
          return refuse("the code is for " + needed + ", the device is " + has);
        return *out = d.modules.add<ModuleHandle>(module), success;
      },
      outside_of_captures);
}
Result cuModuleUnload(ModuleHandle* handle) {
  return call(
      "cuModuleUnload",
      [&](fake::Device& d) {
        const auto module = d.modules.find(handle);
        if (!module) return fake::invalid_handle;
        for (const auto& [name, function] : module->functions) d.functions.remove(function);
        return d.modules.remove(handle), success;
      },
      to_release);
}
Result cuModuleGetFunction(FunctionHandle** out, ModuleHandle* handle, const char* name) {
  return call("cuModuleGetFunction", [&](fake::Device& d) {
    const auto module = d.modules.find(handle);
    if (!module) return fake::invalid_handle;
    if (!module->machine->param_bytes(name)) return fake::not_found;
    if (const auto known = module->functions.find(name); known != module->functions.end())
      return *out = reinterpret_cast<FunctionHandle*>(known->second), success;
    const auto function = std::make_shared<fake::Function>(fake::Function{name, module.get()});
    module->functions[name] = function.get();
    return *out = d.functions.add<FunctionHandle>(function), success;
  });
}

Result cuLaunchKernel(FunctionHandle* handle, unsigned blocks, unsigned blocks_y, unsigned blocks_z, unsigned threads, unsigned threads_y,
                      unsigned threads_z, unsigned shared_bytes, StreamHandle* to, void** parameters, void** extra) {
  return call("cuLaunchKernel", [&](fake::Device& d) {
    const auto function = d.functions.find(handle);
    const auto stream = stream_of(to);
    if (!function || !stream) return fake::invalid_handle;
    if (blocks == 0 || blocks > INT32_MAX || threads == 0 || threads > 1024) return fake::invalid_value;
    if (blocks_y != 1 || blocks_z != 1 || threads_y != 1 || threads_z != 1 || shared_bytes != 0 || extra) return fake::invalid_value;
    const auto* start = static_cast<const std::byte*>(parameters[0]);
    std::vector<std::byte> params(start, start + *function->module->machine->param_bytes(function->name));
    if (!stream->captured) ++d.report.launches;
    return d.enqueue(*stream,
                     [&d, function, blocks, threads, params = std::move(params)] { d.run_kernel(*function, blocks, threads, params); });
  });
}

const weft::test::FakeCudaControl* fake_cuda_control() {
  static const weft::test::FakeCudaControl control = {
      .report =
          [](weft::test::FakeCudaReport* out) {
            fake::Device& d = device();
            const std::lock_guard lock(d.mutex);
            *out = d.report;
            out->allocations = d.allocations.size(), out->pinned = d.pinned.size(), out->modules = d.modules.count();
            out->streams = d.streams.count(), out->events = d.events.count(), out->graphs = d.graphs.count() + d.executables.count();
          },
      .reset =
          [] {
            fake::Device& d = device();
            const std::lock_guard lock(d.mutex);
            d.report = {.contexts = d.report.contexts, .bytes = d.report.bytes, .most_bytes = d.report.bytes};
          },
      .fail =
          [](const char* function, int result, int after) {
            const std::lock_guard lock(device().mutex);
            device().failures[function] = {result, after};
          },
      .limit_memory = [](size_t bytes) { device().memory_bytes = bytes; },
      .set_capability = [](int major, int minor) { device().major = major, device().minor = minor; },
      .set_seed = [](uint64_t seed) { device().seed = seed; },
      .forget_fault = [] { device().fault.clear(); },
  };
  return &control;
}

}  // extern "C"
