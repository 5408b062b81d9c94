#include "weft/backends/saved/load_step.h"

#include "weft/backends/cpu/exec/cpu_program.h"
#include "weft/backends/cuda/exec/program.h"
#include "weft/runtime/step_file.h"

namespace weft {
namespace {

/// A backend whose programs can be loaded.
struct Loader {
  std::string_view backend;
  std::unique_ptr<Program> (*load)(ProgramData, const LoadStepOptions&);
};

constexpr Loader loaders[] = {
    {"cpu", [](ProgramData data, const LoadStepOptions& o) { return cpu::load_program(std::move(data), {o.threads, o.max_isa}); }},
    {"cuda", [](ProgramData data, const LoadStepOptions& o) { return cuda::load_program(std::move(data), {.device = o.device}); }},
};

std::unique_ptr<Program> load_program(ProgramData data, const LoadStepOptions& options) {
  std::string known;
  for (const Loader& loader : loaders) {
    if (loader.backend == data.backend) return loader.load(std::move(data), options);
    known += (known.empty() ? "" : ", ") + std::string(loader.backend);
  }
  throw Error(ErrorKind::device, "it is compiled for '{}', and this program runs what is compiled for {}", data.backend, known);
}

}  // namespace

SavedStep load_step(const std::string& path, const LoadStepOptions& options) {
  StepData data = read_step(path);
  try {
    std::unique_ptr<Program> program = load_program(std::move(data.program), options);
    return SavedStep(std::move(data), std::move(program));
  } catch (Error& e) {
    e.at(fmt::format("'{}'", path));
    throw;
  }
}

}  // namespace weft
