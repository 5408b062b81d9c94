// The text of a program in a file, and all that is made of it before it runs. Its checksum would turn away what is damaged; here
// everything comes through.

#include "weft/backends/cuda/exec/program.h"
#include "weft/backends/cpu/exec/cpu_program.h"
#include "weft/runtime/saved_step.h"
#include "weft/runtime/step_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weft;
  try {
    StepData step = parse_step_text(std::string(reinterpret_cast<const char*>(data), size));
    for (MachineCode& code : step.program.code) code.image.resize(16384);
    for (int i = 0; i < 2; ++i) step.program.list.constants.emplace_back(f32, Shape{4});
    if (step.program.backend == "cuda") return cuda::kernels_of(step.program), 0;  // the rest is the driver's
    std::unique_ptr<Program> program = cpu::load_program(std::move(step.program), {.threads = 1});
    const SavedStep loaded(std::move(step), std::move(program));
    loaded.batch(), loaded.tensors(), loaded.numbers();
  } catch (const Error&) {}
  return 0;
}
