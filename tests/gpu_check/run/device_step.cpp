#include "weft/tests/gpu_check/run/device_step.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "weft/backends/cuda/exec/program.h"
#include "weft/runtime/data/content.h"
#include "weft/runtime/step_file.h"
#include "weft/support/error.h"

namespace weft::gpu_check {
namespace {

/// The file unpacked, as long as this lives.
class Unpacked {
 public:
  explicit Unpacked(detail::Content& content)
      : path_(std::filesystem::temp_directory_path() / fmt::format("weft_gpu_check.{}.weftprog", getpid())) {
    std::ofstream out(path_, std::ios::binary);
    std::vector<std::byte> piece(1 << 20);
    while (const size_t count = content.read(piece.data(), piece.size()))
      out.write(reinterpret_cast<const char*>(piece.data()), static_cast<std::streamsize>(count));
    if (!out.flush()) throw Error(ErrorKind::file, "'{}' cannot be written", path_.string());
  }
  Unpacked(const Unpacked&) = delete;
  ~Unpacked() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  std::string path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// A program, whose file scripts/bundle.sh may have compressed: what it holds most of may be a table of zeros.
StepData read_program(const std::string& path) {
  detail::Content content(path);
  return content.compressed() ? read_step(Unpacked(content).path()) : read_step(path);
}

}  // namespace

DeviceStep::DeviceStep(const std::string& path, int device, bool libraries) : context_(cuda::Context::of(device)) {
  StepData data = read_program(path);
  if (data.program.backend != "cuda") throw Error(ErrorKind::file, "'{}' is compiled for '{}', not for cuda", path, data.program.backend);
  try {
    std::unique_ptr<Program> program = cuda::load_program(std::move(data.program), {.device = device, .libraries = libraries});
    program_ = program.get();
    step_.emplace(std::move(data), std::move(program));
  } catch (Error& e) {
    e.at(fmt::format("'{}'", path));
    throw;
  }
}

bool DeviceStep::uses_libraries() const {
  const std::vector<std::string> calls = program_->calls();
  return std::any_of(calls.begin(), calls.end(), [](const std::string& call) {
    return call.find("by cuBLASLt") != std::string::npos || call.find("by cuDNN") != std::string::npos;
  });
}

std::string describe(const cuda::DeviceDescription& device) {
  return fmt::format("{}, {}, {} multiprocessors, {:.1f} GiB, driver for CUDA {}.{}", device.name, device.arch(), device.multiprocessors,
                     static_cast<double>(device.memory_bytes) / (1 << 30), device.driver_version / 1000, device.driver_version % 1000 / 10);
}

}  // namespace weft::gpu_check
