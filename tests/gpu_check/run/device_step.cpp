#include "weft/tests/gpu_check/run/device_step.h"

#include <fmt/format.h>

#include "weft/backends/cuda/exec/program.h"
#include "weft/runtime/step_file.h"
#include "weft/support/error.h"

namespace weft::gpu_check {

DeviceStep::DeviceStep(const std::string& path, int device) : context_(cuda::Context::of(device)) {
  StepData data = read_step(path);
  if (data.program.backend != "cuda") throw Error(ErrorKind::file, "'{}' is compiled for '{}', not for cuda", path, data.program.backend);
  try {
    std::unique_ptr<Program> program = cuda::load_program(std::move(data.program), {.device = device});
    program_ = program.get();
    step_.emplace(std::move(data), std::move(program));
  } catch (Error& e) {
    e.at(fmt::format("'{}'", path));
    throw;
  }
}

std::string describe(const cuda::DeviceDescription& device) {
  return fmt::format("{}, {}, {} multiprocessors, {:.1f} GiB, driver for CUDA {}.{}", device.name, device.arch(), device.multiprocessors,
                     static_cast<double>(device.memory_bytes) / (1 << 30), device.driver_version / 1000, device.driver_version % 1000 / 10);
}

}  // namespace weft::gpu_check
