// The driver's functions: modules and the launches of their kernels.

#include "weft/backends/cuda/exec/driver.h"

#include "weft/backends/cuda/exec/arch.h"

#include <cstring>

#include "weft/tests/fake_cuda/call.h"

using namespace weft::cuda;
namespace fake = weft::test::fake_cuda;
using fake::call;
using fake::outside_of_captures, fake::to_release;

extern "C" {

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
        if (!runs_on(needed, has)) return refuse("the code is for " + needed + ", the device is " + has);
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
    const auto stream = d.streams.find(to);
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

}  // extern "C"
